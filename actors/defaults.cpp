#include "actors/defaults.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>

#include <exception>
#include <string>

namespace troupe {

namespace {

/// Who speaks, and where.
struct speaker {
  log_sink& log;
  log_area area;
  std::string_view who;

  void say(log_level level, std::string_view text) const {
    if (!log.wants(area, level))
      return;
    std::string line{who};
    line += ": ";
    line += text;
    log.write(area, level, {}, line);
  }
};

/// The name of a reason, without the message that an error may carry.
std::string name_of(const caf::error& e) {
  if (e.category() == caf::atom("system"))
    return to_string(static_cast<caf::sec>(e.code()));
  if (e.category() == caf::atom("exit"))
    return to_string(static_cast<caf::exit_reason>(e.code()));
  return to_string(e.category()) + " " + std::to_string(e.code());
}

std::string words_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "of a foreign type";
  }
}

} // namespace

void set_default_handlers(caf::scheduled_actor* self, log_sink& log, log_area area,
                          std::string_view who) {
  const speaker speak{log, area, who};
  self->set_default_handler(
      [speak](caf::scheduled_actor*, caf::message_view& x) -> caf::result<caf::message> {
        speak.say(log_level::warning,
                  "unexpected message of " + std::to_string(x.content().size()) + " elements");
        return caf::sec::unexpected_message;
      });
  self->set_down_handler([speak](caf::scheduled_actor*, caf::down_msg& x) {
    speak.say(log_level::debug, "an actor ended: " + name_of(x.reason));
  });
  self->set_error_handler([speak](caf::scheduled_actor*, caf::error& x) {
    speak.say(log_level::warning, "stray error: " + name_of(x));
  });
  self->set_exit_handler([speak](caf::scheduled_actor* actor, caf::exit_msg& x) {
    if (!x.reason || x.reason == caf::exit_reason::normal)
      return;
    speak.say(log_level::debug, "told to end: " + name_of(x.reason));
    actor->quit(std::move(x.reason));
  });
  self->set_exception_handler([speak](caf::scheduled_actor*, std::exception_ptr& x) -> caf::error {
    speak.say(log_level::error, "exception in a handler: " + words_of(x));
    return caf::sec::runtime_error;
  });
}

} // namespace troupe
