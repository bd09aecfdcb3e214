// The operations of S3, one row each: the table of operation.h.
//
// name, method, level, names of the query that make it, further ones that it may have, access.
// "x-amz-copy-source" stands among the names for the header field. What is asked for most comes
// first: the table is searched in order. Names that any operation may have are kAnywhere of
// operation.cc. A preflight is one at any level.
//
// Not here, and so denied, is what a gateway cannot judge by bucket and key: RenameObject, whose
// source is another key, and the operations of S3 Control and of Object Lambda, which have no
// bucket. Source: the API reference of Amazon S3. Tested by operation_test.cc.
#pragma once

// clang-format off
#define TERCEL_S3_OPERATIONS(X)                                                                    \
  X(kGetObject, kGet, kObject, "", "versionId partNumber", kRead)                                  \
  X(kPutObject, kPut, kObject, "", "", kWrite)                                                     \
  X(kHeadObject, kHead, kObject, "", "versionId partNumber", kRead)                                \
  X(kListObjectsV2, kGet, kBucket, "list-type", "", kList)                                         \
  X(kUploadPart, kPut, kObject, "uploadId partNumber", "", kWrite)                                 \
  X(kDeleteObject, kDelete, kObject, "", "versionId", kWrite)                                      \
  X(kCreateMultipartUpload, kPost, kObject, "uploads", "", kWrite)                                 \
  X(kCompleteMultipartUpload, kPost, kObject, "uploadId", "", kWrite)                              \
  X(kAbortMultipartUpload, kDelete, kObject, "uploadId", "", kWrite)                               \
  X(kCopyObject, kPut, kObject, "x-amz-copy-source", "", kWrite)                                   \
  X(kUploadPartCopy, kPut, kObject, "x-amz-copy-source uploadId partNumber", "", kWrite)           \
  X(kDeleteObjects, kPost, kBucket, "delete", "", kWrite)                                          \
  X(kListObjects, kGet, kBucket, "", "", kList)                                                    \
  X(kHeadBucket, kHead, kBucket, "", "", kList)                                                    \
  X(kListBuckets, kGet, kService, "", "", kList)                                                   \
  X(kListParts, kGet, kObject, "uploadId", "", kList)                                              \
  X(kListMultipartUploads, kGet, kBucket, "uploads", "", kList)                                    \
  X(kListObjectVersions, kGet, kBucket, "versions", "", kList)                                     \
  X(kGetBucketLocation, kGet, kBucket, "location", "", kRead)                                      \
  X(kCreateBucket, kPut, kBucket, "", "", kWrite)                                                  \
  X(kDeleteBucket, kDelete, kBucket, "", "", kWrite)                                               \
  X(kPostObject, kPost, kBucket, "", "", kWrite)                                                   \
  X(kGetObjectAcl, kGet, kObject, "acl", "versionId", kRead)                                       \
  X(kPutObjectAcl, kPut, kObject, "acl", "versionId", kWrite)                                      \
  X(kGetObjectTagging, kGet, kObject, "tagging", "versionId", kRead)                               \
  X(kPutObjectTagging, kPut, kObject, "tagging", "versionId", kWrite)                              \
  X(kDeleteObjectTagging, kDelete, kObject, "tagging", "versionId", kWrite)                        \
  X(kGetObjectLegalHold, kGet, kObject, "legal-hold", "versionId", kRead)                          \
  X(kPutObjectLegalHold, kPut, kObject, "legal-hold", "versionId", kWrite)                         \
  X(kGetObjectRetention, kGet, kObject, "retention", "versionId", kRead)                           \
  X(kPutObjectRetention, kPut, kObject, "retention", "versionId", kWrite)                          \
  X(kGetObjectAttributes, kGet, kObject, "attributes", "versionId", kRead)                         \
  X(kGetObjectTorrent, kGet, kObject, "torrent", "", kRead)                                        \
  X(kRestoreObject, kPost, kObject, "restore", "versionId", kWrite)                                \
  X(kSelectObjectContent, kPost, kObject, "select", "versionId select-type", kRead)                \
  X(kGetBucketVersioning, kGet, kBucket, "versioning", "", kRead)                                  \
  X(kPutBucketVersioning, kPut, kBucket, "versioning", "", kWrite)                                 \
  X(kGetBucketAcl, kGet, kBucket, "acl", "", kRead)                                                \
  X(kPutBucketAcl, kPut, kBucket, "acl", "", kWrite)                                               \
  X(kGetBucketPolicy, kGet, kBucket, "policy", "", kRead)                                          \
  X(kPutBucketPolicy, kPut, kBucket, "policy", "", kWrite)                                         \
  X(kDeleteBucketPolicy, kDelete, kBucket, "policy", "", kWrite)                                   \
  X(kGetBucketPolicyStatus, kGet, kBucket, "policyStatus", "", kRead)                              \
  X(kGetBucketCors, kGet, kBucket, "cors", "", kRead)                                              \
  X(kPutBucketCors, kPut, kBucket, "cors", "", kWrite)                                             \
  X(kDeleteBucketCors, kDelete, kBucket, "cors", "", kWrite)                                       \
  X(kGetBucketTagging, kGet, kBucket, "tagging", "", kRead)                                        \
  X(kPutBucketTagging, kPut, kBucket, "tagging", "", kWrite)                                       \
  X(kDeleteBucketTagging, kDelete, kBucket, "tagging", "", kWrite)                                 \
  X(kGetBucketWebsite, kGet, kBucket, "website", "", kRead)                                        \
  X(kPutBucketWebsite, kPut, kBucket, "website", "", kWrite)                                       \
  X(kDeleteBucketWebsite, kDelete, kBucket, "website", "", kWrite)                                 \
  X(kGetBucketEncryption, kGet, kBucket, "encryption", "", kRead)                                  \
  X(kPutBucketEncryption, kPut, kBucket, "encryption", "", kWrite)                                 \
  X(kDeleteBucketEncryption, kDelete, kBucket, "encryption", "", kWrite)                           \
  X(kGetBucketLifecycleConfiguration, kGet, kBucket, "lifecycle", "", kRead)                       \
  X(kPutBucketLifecycleConfiguration, kPut, kBucket, "lifecycle", "", kWrite)                      \
  X(kDeleteBucketLifecycle, kDelete, kBucket, "lifecycle", "", kWrite)                             \
  X(kGetBucketNotificationConfiguration, kGet, kBucket, "notification", "", kRead)                 \
  X(kPutBucketNotificationConfiguration, kPut, kBucket, "notification", "", kWrite)                \
  X(kGetBucketReplication, kGet, kBucket, "replication", "", kRead)                                \
  X(kPutBucketReplication, kPut, kBucket, "replication", "", kWrite)                               \
  X(kDeleteBucketReplication, kDelete, kBucket, "replication", "", kWrite)                         \
  X(kGetBucketLogging, kGet, kBucket, "logging", "", kRead)                                        \
  X(kPutBucketLogging, kPut, kBucket, "logging", "", kWrite)                                       \
  X(kGetBucketRequestPayment, kGet, kBucket, "requestPayment", "", kRead)                          \
  X(kPutBucketRequestPayment, kPut, kBucket, "requestPayment", "", kWrite)                         \
  X(kGetBucketAccelerateConfiguration, kGet, kBucket, "accelerate", "", kRead)                     \
  X(kPutBucketAccelerateConfiguration, kPut, kBucket, "accelerate", "", kWrite)                    \
  X(kGetBucketOwnershipControls, kGet, kBucket, "ownershipControls", "", kRead)                    \
  X(kPutBucketOwnershipControls, kPut, kBucket, "ownershipControls", "", kWrite)                   \
  X(kDeleteBucketOwnershipControls, kDelete, kBucket, "ownershipControls", "", kWrite)             \
  X(kGetPublicAccessBlock, kGet, kBucket, "publicAccessBlock", "", kRead)                          \
  X(kPutPublicAccessBlock, kPut, kBucket, "publicAccessBlock", "", kWrite)                         \
  X(kDeletePublicAccessBlock, kDelete, kBucket, "publicAccessBlock", "", kWrite)                   \
  X(kGetObjectLockConfiguration, kGet, kBucket, "object-lock", "", kRead)                          \
  X(kPutObjectLockConfiguration, kPut, kBucket, "object-lock", "", kWrite)                         \
  X(kGetBucketAbac, kGet, kBucket, "abac", "", kRead)                                              \
  X(kPutBucketAbac, kPut, kBucket, "abac", "", kWrite)                                             \
  X(kListBucketAnalyticsConfigurations, kGet, kBucket, "analytics", "", kRead)                     \
  X(kGetBucketAnalyticsConfiguration, kGet, kBucket, "analytics id", "", kRead)                    \
  X(kPutBucketAnalyticsConfiguration, kPut, kBucket, "analytics id", "", kWrite)                   \
  X(kDeleteBucketAnalyticsConfiguration, kDelete, kBucket, "analytics id", "", kWrite)             \
  X(kListBucketInventoryConfigurations, kGet, kBucket, "inventory", "", kRead)                     \
  X(kGetBucketInventoryConfiguration, kGet, kBucket, "inventory id", "", kRead)                    \
  X(kPutBucketInventoryConfiguration, kPut, kBucket, "inventory id", "", kWrite)                   \
  X(kDeleteBucketInventoryConfiguration, kDelete, kBucket, "inventory id", "", kWrite)             \
  X(kListBucketMetricsConfigurations, kGet, kBucket, "metrics", "", kRead)                         \
  X(kGetBucketMetricsConfiguration, kGet, kBucket, "metrics id", "", kRead)                        \
  X(kPutBucketMetricsConfiguration, kPut, kBucket, "metrics id", "", kWrite)                       \
  X(kDeleteBucketMetricsConfiguration, kDelete, kBucket, "metrics id", "", kWrite)                 \
  X(kListBucketIntelligentTieringConfigurations, kGet, kBucket, "intelligent-tiering", "", kRead)  \
  X(kGetBucketIntelligentTieringConfiguration, kGet, kBucket, "intelligent-tiering id", "", kRead) \
  X(kPutBucketIntelligentTieringConfiguration, kPut, kBucket,                                      \
    "intelligent-tiering id", "", kWrite)                                                          \
  X(kDeleteBucketIntelligentTieringConfiguration, kDelete, kBucket,                                \
    "intelligent-tiering id", "", kWrite)                                                          \
  X(kCreateBucketMetadataTableConfiguration, kPost, kBucket, "metadataTable", "", kWrite)          \
  X(kGetBucketMetadataTableConfiguration, kGet, kBucket, "metadataTable", "", kRead)               \
  X(kDeleteBucketMetadataTableConfiguration, kDelete, kBucket, "metadataTable", "", kWrite)        \
  X(kCreateBucketMetadataConfiguration, kPost, kBucket, "metadataConfiguration", "", kWrite)       \
  X(kGetBucketMetadataConfiguration, kGet, kBucket, "metadataConfiguration", "", kRead)            \
  X(kDeleteBucketMetadataConfiguration, kDelete, kBucket, "metadataConfiguration", "", kWrite)     \
  X(kCreateSession, kGet, kBucket, "session", "", kWrite)                                          \
  X(kPreflight, kOptions, kBucket, "", "", kRead)
// clang-format on
