#include "actors/cli/config_views.hpp"

#include "actors/cli/check.hpp"
#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/moments.hpp"
#include "protocol/json/writer.hpp"

#include <ostream>

namespace troupe::cli {

namespace {

/// As the configuration file would say it: texts in quotes.
std::string json_in(const config::node& object, std::string_view name) {
  const auto* found = object.find(name);
  return found == nullptr ? std::string{"null"} : config::write_json(*found);
}

std::string from_to(const config::node& change, const look& l) {
  return painted({json_in(change, "before"), tone::bad}, l) + " -> "
         + painted({json_in(change, "after"), tone::good}, l);
}

std::string layer_text(const std::string& layer) {
  return layer == "command_line" ? "the command line" : layer;
}

std::string offline_json(const std::vector<shown_option>& options) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.boolean_member("running", false);
  w.key("options");
  w.begin_array();
  for (const auto& o : options) {
    w.begin_object();
    w.member("path", o.path);
    w.key("value");
    w.raw(o.value);
    w.member("origin", o.origin);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

} // namespace

std::string draw_settings(const config::node& answer, bool origin, const look& l) {
  std::string out;
  for (const auto& option : part_of(answer, "options").items) {
    out += painted(text_in(option, "path"), l) + " = " + painted(json_in(option, "value"), l);
    if (origin) {
      const auto& from = part_of(option, "origin");
      const auto layer = text_in(from, "layer");
      const auto source = text_in(from, "source");
      auto text = source.empty() ? layer : source;
      if (layer == "database" && source.empty())
        text = "changed at run time";
      if (truth_in(option, "fixed"))
        text += ", fixed";
      out += painted({"  (" + text + ")", tone::faint}, l);
    }
    out += '\n';
  }
  return out;
}

std::string draw_changes(const config::node& answer, bool dry_run, const look& l) {
  std::string out;
  for (const auto& change : part_of(answer, "changes").items) {
    out += painted(text_in(change, "path"), l) + ": " + from_to(change, l);
    const auto before = text_in(change, "layer_before"), after = text_in(change, "layer_after");
    if (before != after)
      out += painted(
          {"  (from " + layer_text(before) + " to " + layer_text(after) + ")", tone::faint}, l);
    if (text_in(change, "applies") == "restart")
      out += painted({"  after a restart", tone::worth_a_look}, l);
    out += '\n';
  }
  const auto revision = text_in(answer, "revision");
  if (out.empty())
    return "nothing changes; the revision is " + revision + '\n';
  return out + (dry_run ? "a dry run: nothing was changed; the revision is " : "revision ")
         + revision + '\n';
}

std::string draw_history(const config::node& page, const look& l, wall_time now) {
  table out{{{"REVISION", true},
             {"AT"},
             {""},
             {"WHO", false, true},
             {"FROM", false, true},
             {"WHAT", false, true}}};
  for (const auto& v : part_of(page, "versions").items) {
    const auto at = text_in(v, "at");
    out.add({text_in(v, "revision"), absolute_moment(at),
             cell{relative_moment(at, now), tone::faint}, text_in(v, "who"), text_in(v, "from"),
             text_in(v, "what")});
  }
  return out.empty() ? "nothing was ever changed\n" : out.draw(l);
}

std::string draw_differences(const config::node& answer, const look& l) {
  std::string out;
  for (const auto& d : part_of(answer, "differences").items)
    out += painted(text_in(d, "path"), l) + ": " + from_to(d, l) + '\n';
  return out.empty() ? "no difference\n" : out;
}

int show_without_node(session& s, const std::string& prefix, bool origin) {
  config_sources sources;
  const auto loaded = load_configuration(configuration_of(s.flags()), s.around(), sources);
  for (const auto& problem : loaded.problems)
    s.fail(refused, "invalid_configuration", to_string(problem));
  if (!loaded.problems.empty())
    return s.code();
  auto options = shown_options(loaded);
  std::erase_if(options, [&](const shown_option& o) { return !o.path.starts_with(prefix); });
  s.remark("no node answers at " + s.target()->name
           + ": this is what file, environment and defaults say, without what was changed at "
             "run time");
  return s.show(s.json() ? offline_json(options) : std::string{},
                [&](const look& l) { return draw_options(options, origin, l); });
}

} // namespace troupe::cli
