#include "protocol/config/problem.hpp"

namespace troupe {

std::string to_string(const config_problem& p) {
  std::string text = p.source;
  if (p.line != 0)
    text += ':' + std::to_string(p.line);
  for (const auto* part : {&p.option, &p.text}) {
    if (!text.empty() && !part->empty())
      text += ": ";
    text += *part;
  }
  return text;
}

} // namespace troupe
