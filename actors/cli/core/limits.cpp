#include "actors/cli/core/limits.hpp"

#include "actors/cli/core/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace troupe::cli {

namespace {

constexpr std::array<std::string_view, 7> names{"rpm", "tpm", "input_tpm",  "output_tpm",
                                                "rpd", "tpd", "concurrency"};

bool is_limit(std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<std::int64_t> positive(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || number < 1)
    return std::nullopt;
  return number;
}

using numbers = std::map<std::string, std::int64_t>;

void read_numbers(const config::node& object, numbers& into) {
  for (const auto& m : object.members)
    if (is_limit(m.name) && m.value.kind == config::node_kind::integer)
      into[m.name] = m.value.whole;
}

void write_numbers(json::writer& out, const numbers& limits) {
  for (const auto name : names)
    if (const auto found = limits.find(std::string{name}); found != limits.end()) {
      out.foreign_key(name);
      out.integer(found->second);
    }
}

std::string numbers_text(const numbers& limits) {
  std::string out;
  for (const auto name : names)
    if (const auto found = limits.find(std::string{name}); found != limits.end())
      out += (out.empty() ? "" : ", ") + std::string{name} + ' ' + grouped(found->second);
  return out;
}

failure fault_in(std::string_view flag, std::string_view why) {
  return {errc::invalid_argument, "--limit " + std::string{flag} + ": " + std::string{why}};
}

} // namespace

limit_set read_limits(const config::node& value) {
  limit_set limits;
  read_numbers(value, limits.of_model[{}]);
  if (const auto* models = value.find("models"))
    for (const auto& m : models->members)
      read_numbers(m.value, limits.of_model[m.name]);
  std::erase_if(limits.of_model, [](const auto& entry) { return entry.second.empty(); });
  return limits;
}

void write_limits(json::writer& out, const limit_set& limits) {
  out.begin_object();
  const auto own = limits.of_model.find({});
  if (own != limits.of_model.end())
    write_numbers(out, own->second);
  if (limits.of_model.size() > (own == limits.of_model.end() ? 0U : 1U)) {
    out.key("models");
    out.begin_object();
    for (const auto& [model, of] : limits.of_model) {
      if (model.empty())
        continue;
      out.foreign_key(model);
      out.begin_object();
      write_numbers(out, of);
      out.end_object();
    }
    out.end_object();
  }
  out.end_object();
}

std::string limits_text(const limit_set& limits) {
  std::string out;
  for (const auto& [model, of] : limits.of_model) {
    out += out.empty() ? "" : "; ";
    out += (model.empty() ? "" : model + ": ") + numbers_text(of);
  }
  return out;
}

result<void> apply_limit_flags(limit_set& limits, const std::vector<std::string>& flags) {
  for (const auto& flag : flags) {
    if (flag == "none") {
      limits.of_model.clear();
      continue;
    }
    const auto equals = flag.rfind('=');
    if (equals == std::string::npos)
      return fault_in(flag, "must be NAME=NUMBER, MODEL:NAME=NUMBER or none");
    const auto where = flag.substr(0, equals);
    const auto colon = where.rfind(':'); // models may have colons in their names, limits not
    const auto model = colon == std::string::npos ? std::string{} : where.substr(0, colon);
    const auto name = colon == std::string::npos ? where : where.substr(colon + 1);
    if (!is_limit(name))
      return fault_in(flag, "there is no such limit; there are rpm, tpm, input_tpm, output_tpm, "
                            "rpd, tpd and concurrency");
    if (colon == 0)
      return fault_in(flag, "the name of the model is missing");
    const auto text = std::string_view{flag}.substr(equals + 1);
    const auto number = positive(text);
    if (!number && text != "none")
      return fault_in(flag, "must be a whole number of at least 1, or none");
    auto& of = limits.of_model[model];
    if (number)
      of[name] = *number;
    else
      of.erase(name);
    if (of.empty())
      limits.of_model.erase(model);
  }
  return {};
}

bool begins_anew(const std::vector<std::string>& flags) {
  return !flags.empty() && flags.front() == "none";
}

} // namespace troupe::cli
