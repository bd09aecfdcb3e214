"""A link to an object, good for ten minutes."""

# [link]
from tercel.s3 import Hmac, presign

link = presign(
    "GET",
    "https://s3.example.com/reports/2026.csv",
    credentials=Hmac("alice", "secret-of-alice"),
    expires_s=600,
)
# [/link]
print(link)
