#pragma once

#include "actors/cli/api_link.hpp"
#include "actors/cli/cli.hpp"
#include "actors/cli/core/table.hpp"
#include "actors/cli/exit_codes.hpp"
#include "actors/cli/target.hpp"
#include "protocol/config/document.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::cli {

/// An answer that says that it was done.
struct told {
  std::string body;  ///< as it came; empty for none
  config::node tree; ///< what it says
};

/// One run of a command that talks to a node: its surroundings, the node, what it says to the
/// world. Its thread.
class session {
public:
  session(const cli_surroundings& around, node_flags flags);

  const cli_surroundings& around() const { return around_; }
  const node_flags& flags() const { return flags_; }
  bool json() const { return flags_.json; }

  /// How the command ends, as far as it has come.
  int code() const { return code_; }

  /// The node that is meant; nothing if the flags make no sense, which was told.
  const node_target* target();

  /// Calls. Nothing if it was not done: why was told, and is in `code`.
  std::optional<told> ask(const api_request& request);

  /// As `ask`, but leaves a local node that does not run to the caller: then `nobody` is set and
  /// nothing was told.
  std::optional<told> ask_unless_nobody(const api_request& request, bool& nobody);

  std::optional<told> get(std::string target);
  std::optional<told> post(std::string target, std::string body = {});

  /// To standard output: `body` if JSON is wanted, what `draw` gives otherwise.
  template <class Draw>
  int show(const std::string& body, Draw draw) {
    if (json())
      print_json(body);
    else
      print(draw(style()));
    return code_;
  }
  void print(std::string_view text);
  void print_json(const std::string& body);

  /// To standard error, a line, escaped. Not with `--json`: then only errors are told there.
  void remark(std::string_view text);

  /// Tells of an error in the form that is wanted; returns `code`, which is now the run's.
  int fail(int code, std::string_view word, std::string_view text);
  int usage(std::string_view text) { return fail(wrong_usage, "usage", text); }
  /// Whether `id` can be one, such as `key_0123456789abcdef`; if not, that there is none was told.
  bool is_id(std::string_view id, std::string_view prefix);
  int fail_with(int code) { return code_ = code; }

  /// Tells what a failed answer of the node says.
  int tell_refusal(const api_answer& answer);

  /// Asks on the terminal for `word`. Without one, `--yes` is needed: that was told then.
  bool confirmed(bool yes, std::string_view question, std::string_view word = "yes");

  /// How to draw on standard output.
  look style() const;

  wall_time now() const { return around_.now(); }

private:
  std::optional<told> read(const api_request& request, api_answer answer);
  int tell_unreachable(const api_request& request, const failure& why);
  bool open();

  const cli_surroundings& around_;
  node_flags flags_;
  std::optional<node_target> target_;
  std::unique_ptr<api_link> link_;
  int code_ = done;
};

} // namespace troupe::cli
