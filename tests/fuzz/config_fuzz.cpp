#include "protocol/config/change.hpp"
#include "protocol/config/document.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/options.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// Configurations from anybody: a file, an env file or one variable. Whatever the bytes are,
// loading ends, what it takes and refuses as JSON is what another parser takes and refuses,
// and neither problems nor warnings repeat the secret that the seeds are full of. A change at run
// time that is taken loads again as it was planned, and shows no secret.

namespace {

using namespace troupe;

constexpr std::string_view canary = "CANARY7f3a91c2";

void hides_the_canary(const std::string& text) {
  TROUPE_ASSERT(text.find(canary) == std::string::npos);
}

void check(const loaded_settings& loaded) {
  for (const auto& p : loaded.problems)
    hides_the_canary(to_string(p));
  for (const auto& w : loaded.warnings)
    hides_the_canary(w);
  if (!loaded.problems.empty())
    return;
  TROUPE_ASSERT(!loaded.values.upstreams.empty());
  for (const auto* list : {&loaded.values.credentials.clients, &loaded.values.credentials.admins})
    for (const auto& c : *list) {
      TROUPE_ASSERT(c.value.empty() != c.sha256.empty());
      TROUPE_ASSERT(c.value.empty() || c.value.reveal().size() >= 8);
    }
  for (const auto& o : config::options())
    if (o.path.find('[') == std::string_view::npos)
      (void)config::show(o, loaded.values);
}

void agrees_with_another_parser(const std::string& text) {
  config_problems problems;
  const auto ours = config::read_document(text, "f", problems);
  if (!ours) {
    TROUPE_ASSERT(!problems.empty());
    for (const auto& p : problems)
      if (p.text.starts_with("nested deeper"))
        return; // our bound, not theirs
  }
  if (text.find('\0') != std::string::npos) { // they take it for the end of the text
    TROUPE_ASSERT(!ours);
    return;
  }
  nlohmann::json theirs;
  bool taken = true;
  try {
    theirs = nlohmann::json::parse(text, nullptr, true, true);
  } catch (const nlohmann::json::out_of_range&) {
    return; // a number beyond a double; we keep the digits and let the option refuse it
  } catch (const nlohmann::json::parse_error&) {
    taken = false;
  }
  TROUPE_ASSERT(ours.has_value() == taken);
  if (ours && problems.empty())
    TROUPE_ASSERT(nlohmann::json::parse(config::write_json(*ours)) == theirs);
}

/// Two texts, parted by a line of one dash: the present document and the patch.
std::pair<std::string, std::string> halves(const std::string& text) {
  const auto at = text.find("\n-\n");
  if (at == std::string::npos)
    return {{}, text};
  return {text.substr(0, at), text.substr(at + 3)};
}

/// Of a proxy, where it is may be shown, and who uses it never.
void hides_users(const nlohmann::json& egress) {
  if (egress.contains("proxies"))
    for (const auto& proxy : egress["proxies"]) {
      const auto text = proxy.get<std::string>();
      TROUPE_ASSERT(text.find('@') == std::string::npos
                    || text.find("://***@") != std::string::npos);
    }
  if (egress.contains("groups"))
    for (const auto& group : egress["groups"])
      hides_users(group);
}

void hides_secrets(const config::settings_change& done) {
  for (const auto& c : done.changes)
    if (c.path.ends_with(".headers") || c.path.ends_with(".keys")) {
      hides_the_canary(c.before);
      hides_the_canary(c.after);
    }
  const auto shown = nlohmann::json::parse(config::masked_document(done.document));
  if (shown.contains("egress"))
    hides_users(shown["egress"]);
  if (shown.contains("upstreams"))
    for (const auto& u : shown["upstreams"])
      if (u.contains("headers"))
        for (const auto& h : u["headers"])
          TROUPE_ASSERT(h == "***");
}

void plans_what_loads(config_sources sources, const std::string& text) {
  const auto [document, patch] = halves(text);
  sources.environment["TROUPE_LOOPS"] = "2";
  const auto done = config::plan_change(sources, document, patch);
  for (const auto& p : done.problems)
    hides_the_canary(to_string(p));
  if (!done.problems.empty())
    return;
  hides_secrets(done);
  TROUPE_ASSERT(config::plan_document(sources, document, done.document).document == done.document);
  if (!done.document.empty())
    sources.database = config_text{"database", done.document};
  const auto loaded = load_settings(sources);
  TROUPE_ASSERT(loaded.problems.empty());
  for (const auto how : {config::applies::live, config::applies::restart})
    TROUPE_ASSERT(config::differing_options(loaded, done.loaded, how).empty());
}

void starts_whatever_the_database_holds(config_sources sources, const std::string& text) {
  sources.database = config_text{"database", text};
  const auto loaded = config::load_with_database(sources);
  TROUPE_ASSERT(loaded.problems.empty());
  check(loaded);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  config_sources sources;
  sources.read_file = [](const std::string&) -> result<std::string> {
    return std::string{"one\ntwo\n"};
  };
  switch (data[0] % 6) {
  case 0:
    agrees_with_another_parser(text);
    sources.file = config_text{"f", text};
    break;
  case 1:
    sources.env_file = config_text{".env", text};
    break;
  case 2: {
    const auto all = config::options();
    const auto& o = all[text.empty() ? 0 : static_cast<unsigned char>(text[0]) % all.size()];
    if (const auto name = config::environment_name(o); !name.empty())
      sources.environment[name] = text.empty() ? text : text.substr(1);
    break;
  }
  case 4:
    plans_what_loads(sources, text);
    return 0;
  case 5:
    starts_whatever_the_database_holds(sources, text);
    return 0;
  default:
    sources.environment["API_KEYS"] = text;
    sources.environment["ALLOWED_TOKENS"] = text;
    sources.environment["AUTH_TOKEN"] = text;
    sources.environment["CUSTOM_HEADERS"] = text;
    sources.environment["BASE_URL"] = text;
    break;
  }
  check(load_settings(sources));
  return 0;
}
