#include "actors/core/key_state.hpp"

namespace troupe {

std::string_view to_string(key_state s) {
  switch (s) {
  case key_state::ready:
    return "ready";
  case key_state::cooling:
    return "cooling";
  case key_state::probing:
    return "probing";
  case key_state::disabled:
    return "disabled";
  }
  return "unknown";
}

std::string_view to_string(key_reason r) {
  switch (r) {
  case key_reason::none:
    return "none";
  case key_reason::quota_minute:
    return "quota_minute";
  case key_reason::quota_day:
    return "quota_day";
  case key_reason::quota_unknown:
    return "quota_unknown";
  case key_reason::not_offered:
    return "not_offered";
  case key_reason::forbidden:
    return "forbidden";
  case key_reason::invalid:
    return "invalid";
  case key_reason::suspended:
    return "suspended";
  case key_reason::by_operator:
    return "by_operator";
  }
  return "unknown";
}

} // namespace troupe
