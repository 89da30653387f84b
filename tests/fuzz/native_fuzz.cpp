#include "protocol/base/result.hpp"
#include "protocol/gemini/native.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Requests and answers of the native surface: no path leaves models and caches, no credential
/// stays in a query, a changed body is still JSON, and a split array is the same however it is cut.

namespace {

using namespace troupe;
using namespace troupe::gemini;

bool is_json(std::string_view text) {
  static simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

void check_route(std::string_view http_method, std::string_view path, std::string_view query,
                 std::string_view body) {
  const auto routed = route_native(http_method, path, query, body, {}, {});
  const auto* call = std::get_if<native_call>(&routed);
  if (!call)
    return;
  const auto below = std::string_view{call->path}.substr(0, call->path.find('?'));
  if (below == "/v1beta/models" || below == "/v1beta/cachedContents")
    return;
  if (concerns_caches(call->what))
    TROUPE_ASSERT(below.starts_with("/v1beta/cachedContents/"));
  else
    TROUPE_ASSERT(below.starts_with("/v1beta/models/")
                  || below.starts_with("/v1beta/tunedModels/"));
  const auto name = below.substr(below.find('/', 8) + 1);
  TROUPE_ASSERT(name.find('/') == name.npos);
  TROUPE_ASSERT(!name.starts_with(".:") && !name.starts_with("..:"));
  TROUPE_ASSERT(("&" + call->path.substr(below.size())).find("&key=") == std::string::npos);
  TROUPE_ASSERT(!call->body_changed || is_json(call->body));
}

struct splitting {
  std::vector<std::string> elements;
  bool good = true;
  bool complete = false;

  friend bool operator==(const splitting&, const splitting&) = default;
};

splitting split(std::string_view text, std::size_t step) {
  array_splitter splitter{256};
  splitting got;
  for (std::size_t at = 0; at < text.size() && got.good; at += step) {
    std::vector<std::string_view> elements;
    got.good = splitter.feed(std::string{text.substr(at, step)}, elements);
    got.elements.insert(got.elements.end(), elements.begin(), elements.end());
  }
  got.complete = splitter.complete();
  return got;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view all{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto first = std::min(all.find('\n'), all.size());
  const auto rest = all.substr(std::min(first + 1, all.size()));
  const auto path = all.substr(0, first);
  const auto mark = std::min(path.find('?'), path.size());
  static constexpr std::array<std::string_view, 4> methods{"POST", "GET", "PATCH", "DELETE"};
  check_route(methods[data[0] / 16 % 4], path.substr(0, mark),
              path.substr(std::min(mark + 1, path.size())), rest);

  for (const auto& name : pinned_resources(rest))
    TROUPE_ASSERT(name.starts_with("files/") || name.starts_with("cachedContents/"));
  if (const auto told = cache_facts(rest, 0); !told.name.empty())
    TROUPE_ASSERT(told.name.starts_with("cachedContents/") && told.expires_at_ms > 0);
  if (scan_answer(rest).well_formed)
    TROUPE_ASSERT(is_json(rest));

  const auto whole = split(rest, std::max<std::size_t>(rest.size(), 1));
  TROUPE_ASSERT(split(rest, 1 + data[0] % 16) == whole);
  TROUPE_ASSERT(!whole.complete || whole.good);
  return 0;
}
