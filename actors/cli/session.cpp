#include "actors/cli/session.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/display.hpp"
#include "actors/cli/core/json_text.hpp"
#include "protocol/json/writer.hpp"

#include <ostream>

namespace troupe::cli {

namespace {

int code_of_status(int status) {
  switch (status) {
  case 401:
  case 403:
    return not_allowed;
  case 404:
    return not_found;
  case 412:
    return conflict;
  default:
    return refused;
  }
}

bool is_success(int status) {
  return status >= 200 && status < 300;
}

/// Whether nobody listens there, rather than that a call went wrong.
bool is_nobody(const failure& why) {
  return why.code == errc::connect_failed || why.code == errc::tls_failed;
}

} // namespace

session::session(const cli_surroundings& around, node_flags flags)
    : around_(around), flags_(std::move(flags)) {}

bool session::open() {
  if (link_)
    return true;
  const auto* found = target();
  if (found == nullptr)
    return false;
  if (found->unencrypted)
    remark("warning: the credential goes unencrypted to " + found->name + "; use https");
  link_ = open_link(found->link);
  return true;
}

const node_target* session::target() {
  if (!target_) {
    auto found = find_node(flags_, around_);
    if (!found) {
      usage(found.error().text);
      return nullptr;
    }
    target_ = std::move(*found);
  }
  return &*target_;
}

std::optional<told> session::ask(const api_request& request) {
  bool nobody = false;
  auto answer = ask_unless_nobody(request, nobody);
  if (nobody)
    fail(not_reachable, "unreachable",
         "no node answers at " + target_->name
             + "; name another by --data-dir, --config, or --admin URL");
  return answer;
}

std::optional<told> session::ask_unless_nobody(const api_request& request, bool& nobody) {
  if (!open())
    return std::nullopt;
  auto answer = link_->call(request);
  if (answer)
    return read(request, std::move(*answer));
  nobody = target_->local && is_nobody(answer.error());
  if (!nobody)
    tell_unreachable(request, answer.error());
  return std::nullopt;
}

std::optional<told> session::get(std::string target) {
  return ask({.target = std::move(target)});
}

std::optional<told> session::post(std::string target, std::string body) {
  return ask({.method = "POST", .target = std::move(target), .body = std::move(body)});
}

int session::tell_unreachable(const api_request& request, const failure& why) {
  auto text = "no node answers at " + target_->name + ": " + why.text;
  if (!is_nobody(why) && request.method != "GET")
    text += "; whether it was done is not known";
  return fail(not_reachable, "unreachable", text);
}

std::optional<told> session::read(const api_request& request, api_answer answer) {
  if (!is_success(answer.status)) {
    tell_refusal(answer);
    return std::nullopt;
  }
  told out;
  if (answer.status == 204 || answer.body.empty())
    return out;
  config_problems problems;
  auto tree = config::read_document(answer.body, {}, problems);
  if (!tree || !problems.empty() || tree->kind != config::node_kind::object) {
    fail(refused, "not_a_node",
         "what answers at " + target_->name + " is no troupe node: its answer to " + request.method
             + ' ' + request.target + " is not what a node says");
    return std::nullopt;
  }
  out.body = std::move(answer.body);
  out.tree = std::move(*tree);
  return out;
}

int session::tell_refusal(const api_answer& answer) {
  config_problems problems;
  const auto tree = config::read_document(answer.body, {}, problems);
  const auto* error = tree && problems.empty() ? tree->find("error") : nullptr;
  const auto code = code_of_status(answer.status);
  if (error == nullptr || text_in(*error, "message").empty())
    return fail(code, "not_a_node",
                target_->name + " answered with status " + std::to_string(answer.status)
                    + " and nothing that a node says");
  code_ = code;
  if (json()) {
    around_.err << (around_.terminal.err ? pretty_json(answer.body) : answer.body) << '\n';
    return code;
  }
  around_.err << "error: " << shown(text_in(*error, "message")) << '\n';
  for (const auto& detail : part_of(*error, "details").items)
    around_.err << "  " << shown(text_in(detail, "field")) << ": "
                << shown(text_in(detail, "message")) << '\n';
  if (error->find("revision") != nullptr)
    around_.err << "  the present revision is " << whole_in(*error, "revision") << '\n';
  if (!answer.retry_after.empty())
    around_.err << "  try again in " << shown(answer.retry_after) << " s\n";
  if (const auto id = text_in(*error, "request_id"); !id.empty() && answer.status >= 500)
    around_.err << "  in the node's log: " << shown(id) << '\n';
  return code;
}

void session::print(std::string_view text) {
  around_.out << text;
}

void session::print_json(const std::string& body) {
  if (body.empty())
    return;
  around_.out << (around_.terminal.out ? pretty_json(body) : body);
  if (around_.terminal.out || !body.ends_with('\n'))
    around_.out << '\n';
}

void session::remark(std::string_view text) {
  if (!json())
    around_.err << shown(text) << '\n';
}

int session::fail(int code, std::string_view word, std::string_view text) {
  code_ = code;
  if (!json()) {
    around_.err << "error: " << shown(text) << '\n';
    return code;
  }
  std::string out;
  json::writer w{out};
  w.open(R"({"error":{)");
  w.member("code", word);
  w.member("message", text);
  w.close("}}");
  around_.err << out << '\n';
  return code;
}

bool session::is_id(std::string_view id, std::string_view prefix) {
  constexpr std::size_t digits = 16;
  if (id.starts_with(prefix) && id.size() == prefix.size() + digits
      && id.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos)
    return true;
  fail(not_found, "not_found",
       "there is nothing with the id " + std::string{id} + "; ids look like " + std::string{prefix}
           + "0123456789abcdef");
  return false;
}

bool session::confirmed(bool yes, std::string_view question, std::string_view word) {
  if (yes)
    return true;
  if (!around_.terminal.in || !around_.terminal.err) {
    usage("this asks before it is done, and there is no terminal to ask on; say --yes");
    return false;
  }
  const auto prompt = shown(question) + " Type " + std::string{word} + " to go on: ";
  const auto typed = around_.read_line(prompt, false);
  if (typed && *typed == word)
    return true;
  if (!typed)
    around_.err << '\n';
  fail(refused, "not_confirmed", "nothing was done");
  return false;
}

look session::style() const {
  if (!around_.terminal.out)
    return {};
  const auto plain = !variable(around_, "NO_COLOR").empty() || variable(around_, "TERM") == "dumb";
  return {around_.terminal.columns, !plain};
}

} // namespace troupe::cli
