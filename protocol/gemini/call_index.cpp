#include "protocol/gemini/call_index.hpp"

#include <algorithm>

namespace troupe::gemini {

namespace {

constexpr std::string_view separator = "__thought__";

bool is_base64url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '_';
}

} // namespace

std::string_view base_id(std::string_view id) {
  return id.substr(0, id.find(separator));
}

std::string_view signature_tail(std::string_view id) {
  const auto at = id.find(separator);
  if (at == id.npos)
    return {};
  const auto tail = id.substr(at + separator.size());
  // A tail that a client cut short is worse than none: the upstream refuses it.
  if (tail.size() % 4 == 1 || !std::all_of(tail.begin(), tail.end(), is_base64url))
    return {};
  return tail;
}

void call_index::clear() {
  calls_.clear();
  entries_.clear();
  by_id_.clear();
  message_ = 0;
}

call_index::entry* call_index::find(std::string_view id) {
  if (entries_.size() <= linear_max) {
    for (auto& known : entries_)
      if (known.id == id)
        return &known;
    return nullptr;
  }
  if (by_id_.empty())
    for (std::size_t i = 0; i < entries_.size(); ++i)
      by_id_.emplace(entries_[i].id, i);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &entries_[found->second];
}

void call_index::add(std::string_view id, std::string_view name) {
  const auto at = calls_.size();
  calls_.push_back({name, none});
  auto* known = find(id);
  if (known == nullptr) {
    if (!by_id_.empty())
      by_id_.emplace(id, entries_.size());
    entries_.push_back({id, message_, at, at});
  } else if (known->message == message_) {
    calls_[known->last].next_with_id = at;
    known->last = at;
  } else {
    *known = {id, message_, at, at};
  }
}

std::optional<call_index::call> call_index::answered_by(std::string_view id) {
  auto* const known = find(id);
  if (known == nullptr)
    return std::nullopt;
  const auto at = known->next;
  if (calls_[at].next_with_id != none)
    known->next = calls_[at].next_with_id;
  return call{calls_[at].name, at};
}

} // namespace troupe::gemini
