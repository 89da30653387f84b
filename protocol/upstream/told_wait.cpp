#include "protocol/upstream/told_wait.hpp"

#include <optional>
#include <string>

namespace troupe::upstream {
namespace {

/// The name of the field that tells what is left of the allowance whose reset `name` tells;
/// nothing if `name` tells no reset.
std::optional<std::string> remaining_beside(std::string_view name) {
  constexpr std::string_view plain = "x-ratelimit-reset";
  constexpr std::string_view anthropic = "anthropic-ratelimit-", reset = "-reset";
  if (begins_with(name, plain))
    return "x-ratelimit-remaining" + std::string{name.substr(plain.size())};
  if (begins_with(name, anthropic) && ends_with(name, reset)
      && name.size() > anthropic.size() + reset.size())
    return std::string{name.substr(0, name.size() - reset.size())} + "-remaining";
  return std::nullopt;
}

bool says_some_left(std::string_view value) {
  return value.find_first_of("123456789") != std::string_view::npos;
}

} // namespace

wait told_by_retry_after(const gemini::answer_facts& facts) {
  return longer(read_retry_after(facts.retry_after, facts.now),
                read_milliseconds(facts.retry_after_ms));
}

wait told_wait(const gemini::answer_facts& facts, std::string_view message) {
  wait word = longer(told_by_retry_after(facts), find_retry_text(message));
  if (facts.fields.empty()) {
    for (const auto reset : facts.ratelimit_resets)
      word = longer(word, read_reset(reset, facts.now));
    return word;
  }
  wait of_what_is_left;
  for (const auto& field : facts.fields) {
    const auto remaining = remaining_beside(field.name);
    if (!remaining)
      continue;
    auto& counted = says_some_left(value_of(facts.fields, *remaining)) ? of_what_is_left : word;
    counted = longer(counted, read_reset(field.value, facts.now));
  }
  return word ? word : of_what_is_left;
}

} // namespace troupe::upstream
