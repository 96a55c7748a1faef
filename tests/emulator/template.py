"""Prints a CloudFormation template as JSON, its short forms of functions written out."""

import json
import sys

import cfnlint.decode

template, problems = cfnlint.decode.decode(sys.argv[1])
if problems:
    sys.exit(str(problems))
print(json.dumps(template, default=str))
