"""Makes a DynamoDB table hold exactly the records of another: `put_back.py RESTORED TABLE`. Nobody may write to either meanwhile."""

import sys

import boto3


def records(table):
    page = table.scan(ConsistentRead=True)
    while True:
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        page = table.scan(ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"])


restored, table = (boto3.resource("dynamodb").Table(name) for name in sys.argv[1:])
place = lambda record: (record["pk"], record["sk"])
kept = {place(record) for record in records(restored)}
# What the copy does not know goes last: a run that breaks off is begun again.
with table.batch_writer() as batch:
    for record in records(restored):
        batch.put_item(Item=record)
    for record in records(table):
        if place(record) not in kept:
            batch.delete_item(Key={"pk": record["pk"], "sk": record["sk"]})
print(f"{sys.argv[2]} holds the {len(kept)} records of {sys.argv[1]}")
