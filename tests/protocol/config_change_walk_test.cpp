#include "protocol/config/change.hpp"
#include "protocol/config/document.hpp"
#include "protocol/config/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

// Random walks over all options: whatever is sent, and whatever the other layers say.

namespace troupe {
namespace {

using namespace config;

using random_source = std::minstd_rand;

template <class List>
const auto& one_of(const List& list, random_source& random) {
  return list[random() % list.size()];
}

/// A value for an option, right or wrong.
std::string any_value(const option& o, random_source& random) {
  static const std::array<std::string, 18> others{"null",
                                                  "true",
                                                  "7",
                                                  "-1",
                                                  "1.5",
                                                  R"("é***")",
                                                  R"(["a","b"])",
                                                  R"({"x":1})",
                                                  "{}",
                                                  R"("3s")",
                                                  R"("90m")",
                                                  R"("2MiB")",
                                                  R"("debug")",
                                                  R"([{"name":"a","headers":{"x-a":"***"}}])",
                                                  R"(["http://u:hunter2@h.example:1"])",
                                                  R"(["http://***@h.example:1"])",
                                                  R"([{"name":"a","models":["*"]}])",
                                                  R"({"models":{"m":{"rpm":1}}})"};
  static const std::array<std::string, 3> lists{
      R"([{"name":"a","headers":{"x-a":"one"}},{"name":"b","kind":"vertex"}])",
      R"([{"name":"b","idle_timeout":"4s"},{"name":"a","headers":{"x-a":"***"}}])",
      R"([{"name":"a","verify":null}])"};
  const auto roll = random() % 8;
  if (roll < 3)
    return one_of(others, random);
  if (o.path == "upstreams")
    return one_of(lists, random);
  const auto words = choices_of(o);
  if (roll == 3 && o.type == option_type::choice)
    return config::quoted(one_of(words, random));
  if (roll == 4 && o.type == option_type::integer)
    return std::to_string(o.least + static_cast<std::int64_t>(random() % 200));
  return o.fallback.empty() ? "null" : std::string{o.fallback};
}

/// A patch of one to three options, each at its path.
std::string any_patch(random_source& random) {
  std::string patch;
  std::vector<std::string> sections;
  for (auto left = 1 + random() % 3; left > 0; --left) {
    const auto& o = one_of(options(), random);
    std::string path{o.path};
    const auto section = path.substr(0, path.find('.'));
    if (std::ranges::find(sections, section) != sections.end())
      continue;
    sections.push_back(section);
    auto text = any_value(o, random);
    for (auto dot = path.rfind('.'); dot != std::string::npos; dot = path.rfind('.')) {
      text = '{' + config::quoted(path.substr(dot + 1)) + ':' + text + '}';
      path.erase(dot);
    }
    patch += (patch.empty() ? "" : ",") + config::quoted(path) + ':' + text;
  }
  return '{' + patch + '}';
}

std::vector<config_sources> all_surroundings() {
  std::vector<config_sources> all(3);
  all[1].file = config_text{"troupe.json", R"({"loops":4,"pool":{"cooldown":"5m"},
      "upstreams":[{"name":"a","keys":["AIzaSy-0000000001"],"headers":{"x-a":"of-the-file"}}]})"};
  all[2].file = all[1].file;
  all[2].environment = {{"TROUPE_POOL_ATTEMPTS_MAX", "9"},
                        {"BASE_URL", "https://proxy.example"},
                        {"GEMINI_API_KEYS", "AIzaSy-0000000002,AIzaSy-0000000003"}};
  all[2].command_line = {{"log.level", "error"}};
  return all;
}

loaded_settings load(config_sources sources, const std::string& document) {
  if (!document.empty())
    sources.database = config_text{"database", document};
  return load_settings(sources);
}

void expect_equal(const loaded_settings& a, const loaded_settings& b, const std::string& patch) {
  EXPECT_EQ(differing_options(a, b, applies::live), std::vector<std::string>{}) << patch;
  EXPECT_EQ(differing_options(a, b, applies::restart), std::vector<std::string>{}) << patch;
  EXPECT_EQ(a.origins, b.origins) << patch;
}

/// What an accepted change promises.
void check(const config_sources& sources, const std::string& before, const std::string& patch,
           const settings_change& done) {
  const auto loaded = load(sources, done.document);
  ASSERT_TRUE(loaded.problems.empty()) << patch << ": " << to_string(loaded.problems.front());
  expect_equal(loaded, done.loaded, patch);
  const auto restored = plan_document(sources, before, done.document);
  ASSERT_TRUE(restored.problems.empty()) << patch << ": " << to_string(restored.problems.front());
  EXPECT_EQ(restored.document, done.document) << patch;
  expect_equal(restored.loaded, done.loaded, patch);
  const auto again = plan_change(sources, done.document, masked_document(done.document));
  EXPECT_TRUE(again.changes.empty()) << patch;
  const auto was = load(sources, before);
  for (const auto how : {applies::live, applies::restart})
    for (const auto& path : differing_options(was, loaded, how))
      EXPECT_TRUE(std::ranges::any_of(done.changes,
                                      [&](const setting_change& c) {
                                        return c.path == path && c.live == (how == applies::live);
                                      }))
          << patch << " says nothing of " << path;
  for (const auto& c : done.changes) {
    EXPECT_EQ(c.before.find("of-the-file"), std::string::npos);
    EXPECT_EQ(c.after.find("of-the-file"), std::string::npos);
    if (c.path.ends_with("proxies")) {
      EXPECT_EQ((c.before + c.after).find("hunter2"), std::string::npos);
    }
  }
}

TEST(config_change, whatever_is_accepted_loads_again_with_the_same_values) {
  for (const auto& sources : all_surroundings()) {
    random_source random{20261125};
    std::string document;
    int accepted = 0, changed = 0;
    for (int i = 0; i < 1'500 && !testing::Test::HasFailure(); ++i) {
      const auto patch = any_patch(random);
      const auto done = plan_change(sources, document, patch);
      if (!done.problems.empty()) {
        EXPECT_TRUE(done.changes.empty()) << patch;
        continue;
      }
      ++accepted;
      changed += done.changes.empty() ? 0 : 1;
      check(sources, document, patch, done);
      document = done.document;
    }
    EXPECT_GT(accepted, 300);
    EXPECT_GT(changed, 150);
  }
}

TEST(config_layers, whatever_the_database_holds_a_start_finds_settings_that_load) {
  random_source random{7};
  int whole = 0, parts = 0;
  for (int i = 0; i < 1'500 && !testing::Test::HasFailure(); ++i) {
    for (auto sources : all_surroundings()) {
      sources.database = config_text{"database", any_patch(random)};
      const auto loaded = load_with_database(sources);
      ASSERT_TRUE(loaded.problems.empty()) << sources.database->text;
      (load_settings(sources).problems.empty() ? whole : parts) += 1;
    }
  }
  EXPECT_GT(whole, 300);
  EXPECT_GT(parts, 300);
}

} // namespace
} // namespace troupe
