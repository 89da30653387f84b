#include "protocol/config/compare.hpp"
#include "protocol/config/document.hpp"
#include "protocol/config/load.hpp"
#include "protocol/config/names.hpp"
#include "protocol/config/options.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace troupe {
namespace {

std::string file(const std::string& name) {
  std::ifstream in{TROUPE_SOURCE_DIR "/configs/" + name};
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

std::string leaf_of(const config::option& o) {
  return std::string{o.path.substr(o.path.find_last_of('.') + 1)};
}

TEST(config_options, the_table_says_the_defaults_that_the_settings_have) {
  for (const auto& o : config::options()) {
    if (o.fallback == "null" || o.type == config::option_type::objects
        || config::elements_of(settings{}, o) == 0)
      continue;
    EXPECT_EQ(config::show(o, settings{}), o.fallback) << o.path;
  }
}

TEST(config_options, names_and_variables_are_unique_and_every_option_is_explained) {
  std::set<std::string> names, variables;
  for (const auto& o : config::options()) {
    EXPECT_TRUE(names.insert(std::string{o.path}).second) << o.path;
    if (const auto name = config::environment_name(o); !name.empty()) {
      EXPECT_TRUE(variables.insert(name).second) << name;
    }
    EXPECT_GT(o.doc.size(), 10U) << o.path;
    EXPECT_TRUE(o.doc.ends_with('.')) << o.path;
    EXPECT_NE(o.bind, nullptr) << o.path;
    EXPECT_EQ(config::find_option(o.path), &o);
  }
}

TEST(config_sample, loads_without_a_problem_and_equals_the_defaults) {
  config_sources sources;
  sources.file = config_text{"configs/troupe.json", file("troupe.json")};
  const auto loaded = load_settings(sources);
  EXPECT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  for (const auto& o : config::options())
    if (config::elements_of(settings{}, o) != 0) {
      EXPECT_EQ(config::show(o, loaded.values), config::show(o, settings{})) << o.path;
    }
  EXPECT_EQ(loaded.values.upstreams, settings{}.upstreams);
  EXPECT_EQ(loaded.values.credentials, settings{}.credentials);
  EXPECT_EQ(loaded.values.egress, settings{}.egress);
  EXPECT_EQ(loaded.values.models, settings{}.models);
  EXPECT_EQ(loaded.values.log, settings{}.log);
}

TEST(config_sample, explains_every_option_with_unit_default_range_and_when_it_applies) {
  const auto text = file("troupe.json");
  config_problems problems;
  const auto root = config::read_document(text, "troupe.json", problems);
  ASSERT_TRUE(root);
  for (const auto& o : config::options()) {
    const auto explained = "// " + std::string{o.doc};
    EXPECT_NE(text.find(explained), std::string::npos) << o.path << " lacks: " << explained;
    std::string facts = "// " + config::allowed(o);
    facts += o.required ? "; required" : "; default " + std::string{o.fallback};
    if (const auto name = config::environment_name(o); !name.empty())
      facts += "; " + name;
    facts += o.live ? "; live" : "; restart";
    EXPECT_NE(text.find(facts), std::string::npos) << o.path << " lacks: " << facts;
    EXPECT_NE(text.find('"' + leaf_of(o) + "\": "), std::string::npos) << o.path;
  }
}

TEST(config_sample, holds_every_option_as_a_value) {
  config_problems problems;
  const auto root = config::read_document(file("troupe.json"), "troupe.json", problems);
  ASSERT_TRUE(root);
  for (const auto& o : config::options()) {
    if (config::elements_of(settings{}, o) == 0)
      continue; // only in comments: the default is none of them
    const auto* at = &*root;
    for (auto part : config::split(o.path, '.')) {
      const bool in_list = part.ends_with("[]");
      part = in_list ? part.substr(0, part.size() - 2) : part;
      ASSERT_NE(at = at->find(part), nullptr) << o.path;
      if (in_list)
        at = &at->items.at(0);
    }
  }
}

TEST(config_sample, the_env_example_opens_nothing_and_holds_no_key) {
  config_sources sources;
  sources.env_file = config_text{"configs/gemini-balance.env", file("gemini-balance.env")};
  const auto loaded = load_settings(sources);
  EXPECT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  EXPECT_TRUE(loaded.values.credentials.clients.empty());
  EXPECT_TRUE(loaded.values.credentials.admins.empty());
  EXPECT_TRUE(loaded.values.upstreams.at(0).keys.empty());
  EXPECT_EQ(loaded.values.translation.search_models.size(), 2U);
  EXPECT_NE(loaded.values.translation.safety_settings.find("CIVIC"), std::string::npos);
}

} // namespace
} // namespace troupe
