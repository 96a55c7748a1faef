"""Gives a secret another value."""

import sys

import boto3

value = sys.argv[2] if len(sys.argv) > 2 else '{"client_id": "second", "client_secret": "hush"}'
boto3.client("secretsmanager").put_secret_value(SecretId=sys.argv[1], SecretString=value)
