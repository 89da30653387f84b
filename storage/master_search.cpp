#include "storage/master_search.hpp"

#include "storage/master_key.hpp"

#include <utility>

namespace troupe::storage {

namespace {

constexpr const char* variable = "TROUPE_MASTER_KEY";
constexpr const char* previous_variable = "TROUPE_MASTER_KEY_PREVIOUS";

result<key_bytes> parse_variable(const secret& text, const char* name) {
  auto k = parse_key_bytes(text.reveal());
  if (!k)
    return failure{errc::invalid_argument,
                   std::string{name}
                       + " must be 32 bytes as 64 hex digits or base64; make one with: "
                         "openssl rand -hex 32"};
  return *k;
}

failure refused(const std::string& wanted, const std::string& why) {
  return {errc::permission, "the secrets in the data directory are sealed under the master key "
                                + wanted + ", " + why + " (nothing was changed)"};
}

failure wrong(const master_key& given, const std::string& wanted) {
  return refused(wanted, "and " + given.origin + " holds " + fingerprint_of(given.bytes)
                             + ": give the right one, or the right one as " + previous_variable
                             + " to change over");
}

/// `previous`, if it is given and fits: `key` replaces it.
result<std::optional<found_master>> change_over(const master_key_source& from,
                                                const master_key& key, const std::string& wanted) {
  if (from.previous.empty())
    return std::optional<found_master>{};
  auto previous = parse_variable(from.previous, previous_variable);
  if (!previous)
    return previous.error();
  if (fingerprint_of(*previous) != wanted)
    return std::optional<found_master>{};
  found_master found{key, *previous, false, {}};
  found.notes.push_back("the master key was changed from " + wanted + " to "
                        + fingerprint_of(key.bytes) + " (" + key.origin + "): " + previous_variable
                        + " is not needed any more");
  return std::optional{std::move(found)};
}

/// The path of a key file that fits; empty if none does. One that cannot be read does not.
std::string file_that_fits(const master_key_source& from, const std::string& wanted) {
  for (const auto& path : {from.file, next_file(from.file)}) {
    const auto k = read_key_file(path);
    if (k && *k && fingerprint_of(**k) == wanted)
      return path;
  }
  return {};
}

result<found_master> in_environment(const master_key_source& from, const std::string& wanted) {
  auto k = parse_variable(from.from_environment, variable);
  if (!k)
    return k.error();
  const master_key given{*k, variable, false};
  if (fingerprint_of(*k) == wanted)
    return found_master{given, std::nullopt, false, {}};
  auto changed = change_over(from, given, wanted);
  if (!changed)
    return changed.error();
  if (*changed)
    return **std::move(changed);
  if (const auto path = file_that_fits(from, wanted); !path.empty())
    return refused(wanted, "which is in " + path + ", but " + variable + " holds "
                               + fingerprint_of(*k) + ": unset the variable, or set "
                               + previous_variable + " to what is in the file to change over");
  return wrong(given, wanted);
}

result<found_master> in_file(const master_key_source& from, const std::string& wanted) {
  auto there = read_key_file(from.file);
  if (!there)
    return there.error();
  if (*there && fingerprint_of(**there) == wanted)
    return found_master{{**there, from.file, true}, std::nullopt, false, {}};
  const auto next = next_file(from.file);
  const auto changing = read_key_file(next);
  if (changing && *changing && fingerprint_of(**changing) == wanted) {
    found_master found{{**changing, from.file, true}, std::nullopt, true, {}};
    found.notes.push_back("a rotation of the master key was cut off and has been finished: "
                          + from.file + " holds the new one, " + wanted);
    return found;
  }
  if (!*there) {
    const auto previous = parse_key_bytes(from.previous.reveal());
    return refused(wanted,
                   std::string{"which is missing: "}
                       + (previous && fingerprint_of(*previous) == wanted
                              ? std::string{"it is in "} + previous_variable
                                    + ", but there is no new one to change over to; set " + variable
                              : std::string{"set "} + variable + ", or put it into " + from.file));
  }
  const master_key given{**there, from.file, true};
  auto changed = change_over(from, given, wanted);
  if (!changed)
    return changed.error();
  return *changed ? result<found_master>{**std::move(changed)} : wrong(given, wanted);
}

} // namespace

result<found_master> first_master(const master_key_source& from) {
  if (!from.from_environment.empty()) {
    auto k = parse_variable(from.from_environment, variable);
    if (!k)
      return k.error();
    return found_master{{*k, variable, false}, std::nullopt, false, {}};
  }
  auto there = read_key_file(from.file);
  if (!there)
    return there.error();
  if (*there)
    return found_master{{**there, from.file, true}, std::nullopt, false, {}};
  const auto made = key_bytes::random();
  if (auto written = write_key_file(from.file, made); !written)
    return written.error();
  found_master found{{made, from.file, true}, std::nullopt, false, {}};
  found.notes.push_back("a master key was made: " + from.file
                        + "; no backup of the database contains it, keep a copy elsewhere");
  return found;
}

result<found_master> find_master(const master_key_source& from, const std::string& wanted) {
  return from.from_environment.empty() ? in_file(from, wanted) : in_environment(from, wanted);
}

} // namespace troupe::storage
