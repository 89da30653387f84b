#include "protocol/config/tolerate.hpp"

#include "protocol/config/database_document.hpp"

#include <algorithm>
#include <utility>

namespace troupe::config {

namespace {

/// One layer on its way to one that loads.
class tolerating {
public:
  tolerating(const config_sources& sources, node document)
      : sources_(sources), document_(std::move(document)) {}

  /// Each round takes something out, and with nothing in it the layer loads: the rounds end.
  void run() {
    take_out_unknown(
        document_, [&](const std::string& path) { told(path + " is no option of this version"); });
    loaded_ = load(document_);
    while (!loaded_.problems.empty() && !document_.members.empty()) {
      const auto p = loaded_.problems.front();
      if (take_out(document_, p.option))
        told(p.option + ' ' + p.text);
      else
        told(take_out_cause(p) + ", because " + p.option + ' ' + p.text);
      loaded_ = load(document_);
    }
  }

  tolerated done() {
    return {std::move(loaded_), written(std::move(document_)), std::move(left_out_)};
  }

private:
  loaded_settings load(const node& document) {
    sources_.database.reset();
    if (auto text = written(document); !text.empty())
      sources_.database = config_text{std::string{database_name}, std::move(text)};
    return load_settings(sources_);
  }

  void told(const std::string& what) {
    left_out_.push_back("a setting that was changed at run time is left out: " + what);
  }

  /// A relation may be told at an option of another layer: whatever option of this one makes it
  /// go by going is to blame. Where no single one is, the first section goes. Returns what went.
  std::string take_out_cause(const config_problem& p) {
    std::vector<std::string> paths;
    for_each_leaf(document_, [&](const std::string& path, const node&) { paths.push_back(path); });
    for (const auto& path : paths) {
      auto without = document_;
      take_out(without, path);
      const auto loaded = load(without);
      if (std::ranges::none_of(loaded.problems, [&](const config_problem& left) {
            return left.option == p.option && left.code == p.code;
          })) {
        document_ = std::move(without);
        return path;
      }
    }
    auto name = document_.members.front().name;
    document_.members.erase(document_.members.begin());
    return name;
  }

  config_sources sources_;
  node document_;
  loaded_settings loaded_;
  std::vector<std::string> left_out_;
};

} // namespace

tolerated tolerate(const config_sources& sources) {
  auto loaded = load_settings(sources);
  if (!sources.database)
    return {std::move(loaded), {}, {}};
  if (loaded.problems.empty())
    return {std::move(loaded), sources.database->text, {}};
  auto without = sources;
  without.database.reset();
  auto base = load_settings(without);
  if (!base.problems.empty())
    return {std::move(base), sources.database->text, {}};

  tolerated out{std::move(base), {}, {}};
  config_problems unread;
  if (auto document = read_strict(sources.database->text, unread)) {
    tolerating layer{sources, *std::move(document)};
    layer.run();
    out = layer.done();
  } else {
    out.left_out.push_back("all settings that were changed at run time are left out: "
                           + to_string(unread.front()));
  }
  auto& warnings = out.loaded.warnings;
  warnings.insert(warnings.end(), out.left_out.begin(), out.left_out.end());
  return out;
}

} // namespace troupe::config
