#pragma once

#include "actors/cli/core/limits.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/secret.hpp"
#include "protocol/json/writer.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// From the flags of `troupe keys` to bodies and queries of the admin API.

namespace troupe::cli {

/// Fields of a key as they were given; what was not given is not sent. An empty text, and `none`
/// in a list, take a value away.
struct key_fields {
  std::optional<std::string> name, upstream, kind, domain, proxy, note;
  std::optional<std::string> weight, tier, enabled; ///< as typed
  std::vector<std::string> groups, tags, limits;

  bool empty() const;
};

/// Writes the members of an object that begun. Fails with `invalid_argument`.
///
/// @param before  what the limits are now; those that no flag names stay
result<void> write_key_fields(json::writer& out, const key_fields& fields, limit_set before);

/// Body of `POST keys`.
result<std::string> new_key_body(const secret& characters, const key_fields& fields);

/// Body of `PATCH keys/{id}`.
result<std::string> key_patch_body(const key_fields& fields, const limit_set& before);

/// Which keys: by flags of `list`, or by `--filter` of what changes many.
struct key_filter {
  std::string q, upstream, group, tag;
  std::vector<std::string> states, reasons, ids;

  bool empty() const;
};

/// `state=disabled,reason=invalid`; `state` and `reason` may stand several times. Fails with
/// `invalid_argument` and says what there is.
result<key_filter> read_key_filter(const std::vector<std::string>& texts);

/// Parameters of `GET keys`, in a fixed order; ids are none.
std::vector<std::pair<std::string, std::string>> query_of(const key_filter& filter);

struct bulk_change {
  std::string action; ///< as the API calls it
  key_filter filter;
  bool all = false;  ///< meant: every key
  std::string pause; ///< of `pause`
  key_fields fields; ///< of `edit`
};

/// Body of `POST keys:bulk`. Limits are replaced whole there: flags that do not say so, by a
/// `none` in front, are refused.
result<std::string> bulk_body(const bulk_change& change);

/// A list of texts as an array; `none` alone gives an empty one.
void write_texts(json::writer& out, const std::vector<std::string>& texts,
                 std::string_view none = "none");

} // namespace troupe::cli
