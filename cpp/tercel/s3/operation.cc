#include "tercel/s3/operation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tercel/base/percent.h"
#include "tercel/http/chars.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::s3 {
namespace {

enum class Method : std::uint8_t { kGet, kHead, kPut, kPost, kDelete, kOptions };

constexpr std::string_view kCopySource = "x-amz-copy-source";

// The names that have a meaning somewhere: a name's place is its bit in Names.
constexpr std::array<std::string_view, 63> kNames{
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "bucket-region",
    "continuation-token",
    "cors",
    "delete",
    "delimiter",
    "encoding-type",
    "encryption",
    "fetch-owner",
    "id",
    "intelligent-tiering",
    "inventory",
    "key-marker",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "part-number-marker",
    "partNumber",
    "policy",
    "policyStatus",
    "prefix",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "start-after",
    "tagging",
    "torrent",
    "upload-id-marker",
    "uploadId",
    "uploads",
    "version-id-marker",
    "versionId",
    "versioning",
    "versions",
    "website",
};
constexpr std::size_t kNameBytesMax = 30;  // response-content-disposition has 28.

// A set of names of kNames, and of the copy source, which is a header field.
using Names = std::uint64_t;
constexpr Names kCopySourceBit = Names{1} << kNames.size();
static_assert(kNames.size() < 64 && std::is_sorted(kNames.begin(), kNames.end()));

constexpr Names bit_of(std::string_view name) noexcept {
  const auto at = std::lower_bound(kNames.begin(), kNames.end(), name);
  return at != kNames.end() && *at == name ? Names{1} << (at - kNames.begin()) : 0;
}

// Of names with spaces between them.
consteval Names names_of(std::string_view list) {
  Names names = 0;
  while (!list.empty()) {
    const std::string_view name = http::next_element(list, ' ');
    const Names bit = name == kCopySource ? kCopySourceBit : bit_of(name);
    if (bit == 0) __builtin_abort();  // No constant expression: a name that is not in kNames.
    names |= bit;
  }
  return names;
}

// They narrow what is answered, and nothing else.
constexpr Names kAnywhere = names_of(
    "bucket-region continuation-token delimiter encoding-type fetch-owner key-marker marker "
    "max-buckets max-keys max-parts max-uploads part-number-marker prefix response-cache-control "
    "response-content-disposition response-content-encoding response-content-language "
    "response-content-type response-expires start-after upload-id-marker version-id-marker");

struct Row {
  Names needs;
  Names may;
  Method method;
  OperationInfo info;
};

constexpr bool streams_payload(Operation operation) noexcept {
  return operation == Operation::kPutObject || operation == Operation::kUploadPart;
}

#define TERCEL_ROW(name, method, level, needs, may, access)                          \
  Row{names_of(needs), names_of(may), Method::method,                                \
      OperationInfo{std::string_view(#name).substr(1), Level::level, Access::access, \
                    streams_payload(Operation::name), (names_of(needs) & kCopySourceBit) != 0}},
constexpr Row kRows[] = {TERCEL_S3_OPERATIONS(TERCEL_ROW)};
#undef TERCEL_ROW
static_assert(std::size(kRows) == static_cast<std::size_t>(Operation::kUnknown));

std::optional<Method> method_of(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 6> kMethods{"GET",  "HEAD",   "PUT",
                                                     "POST", "DELETE", "OPTIONS"};
  const auto at = std::find(kMethods.begin(), kMethods.end(), method);
  if (at == kMethods.end()) return std::nullopt;
  return static_cast<Method>(at - kMethods.begin());
}

bool begins_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() >= lower.size() &&
         http::equals_ignoring_case(text.substr(0, lower.size()), lower);
}

// What a presigned URL says in a header's place, or a client to itself.
bool without_meaning(std::string_view name) noexcept {
  if (!begins_ignoring_case(name, "x-amz-")) return name.starts_with("x-");
  return !begins_ignoring_case(name, kCopySource) && !begins_ignoring_case(name, "x-amz-rename-");
}

// The bit of a name as it was received. Nothing: the name is not known. 0: it means nothing.
std::optional<Names> read_name(std::string_view raw) noexcept {
  if (is_plain(raw)) {
    if (without_meaning(raw)) return 0;  // None of them is in the table.
    const Names bit = bit_of(raw);
    return bit != 0 ? std::optional{bit} : std::nullopt;
  }
  // No name that is known is longer than this, decoded; of one that is, the begin says whether it
  // means nothing. It is not cut within an escape.
  std::array<char, 3 * kNameBytesMax> memory;
  if (raw.size() > memory.size()) {
    raw = raw.substr(0, memory.size());
    raw = raw.substr(0, raw.find('%', raw.size() - 2));
  }
  const std::string_view name = percent_decode(raw, memory);
  if (const Names bit = bit_of(name); bit != 0) return bit;
  return without_meaning(name) ? std::optional<Names>{0} : std::nullopt;
}

struct QueryNames {
  Names names = 0;
  std::optional<std::string_view> unknown;
};

QueryNames read_query(std::string_view query) noexcept {
  QueryNames read;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const std::optional<Names> bit = read_name(name);
    const bool version_one = bit == bit_of("list-type") && pair.substr(equals) != "=2";
    if (!bit || (read.names & *bit) != 0 || version_one) {
      read.unknown = name;
      return read;
    }
    read.names |= *bit;
  }
  return read;
}

// The name as the query has it that no operation has together with the others; or it is the method.
OperationMatch blame(std::string_view query, std::string_view method, Names names) noexcept {
  if ((names & kCopySourceBit) != 0) return {Operation::kUnknown, kCopySource};
  while (!query.empty()) {
    const std::string_view pair = http::next_element(query, '&');
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::optional<Names> bit = read_name(name);
    if (bit && (*bit & ~kAnywhere) != 0) return {Operation::kUnknown, name};
  }
  return {Operation::kUnknown, method, true};
}

}  // namespace

OperationInfo info(Operation operation) noexcept {
  if (operation == Operation::kUnknown) {
    return {"Unknown", Level::kService, Access::kWrite, false, false};
  }
  return kRows[static_cast<std::size_t>(operation)].info;
}

std::string_view allowed_methods(Level level) noexcept {
  return level == Level::kService ? "GET, OPTIONS" : "GET, HEAD, PUT, POST, DELETE, OPTIONS";
}

OperationMatch match_operation(const OperationRequest& request) noexcept {
  const std::optional<Method> method = method_of(request.method);
  if (!method) return {Operation::kUnknown, request.method, true};
  // A browser asks by it whether it may ask: whatever the query is, nothing is done.
  if (*method == Method::kOptions) return {Operation::kPreflight, {}};

  QueryNames query = read_query(request.query);
  if (query.unknown) return {Operation::kUnknown, *query.unknown};
  if (*method == Method::kPut && http::find_field(request.fields, kCopySource) != nullptr) {
    query.names |= kCopySourceBit;
  }
  for (const Row& row : kRows) {
    if (row.method == *method && row.info.level == request.level &&
        (query.names & ~(kAnywhere | row.may)) == row.needs) {
      return {static_cast<Operation>(&row - kRows), {}};
    }
  }
  return blame(request.query, request.method, query.names);
}

}  // namespace tercel::s3
