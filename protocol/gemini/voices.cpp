#include "protocol/gemini/voices.hpp"

#include "protocol/base/ascii.hpp"

#include <array>
#include <utility>

namespace troupe::gemini {

using ascii::equal_any_case;

namespace {

// docs/protocol/gemini.md section 9.
constexpr std::array<std::string_view, 30> voices{
    "Zephyr",    "Puck",          "Charon",       "Kore",      "Fenrir",     "Leda",
    "Orus",      "Aoede",         "Callirrhoe",   "Autonoe",   "Enceladus",  "Iapetus",
    "Umbriel",   "Algieba",       "Despina",      "Erinome",   "Algenib",    "Rasalgethi",
    "Laomedeia", "Achernar",      "Alnilam",      "Schedar",   "Gacrux",     "Pulcherrima",
    "Achird",    "Zubenelgenubi", "Vindemiatrix", "Sadachbia", "Sadaltager", "Sulafat",
};

using counterpart = std::pair<std::string_view, std::string_view>;
constexpr std::array counterparts{
    counterpart{"alloy", "Kore"},       counterpart{"ash", "Puck"},
    counterpart{"ballad", "Enceladus"}, counterpart{"coral", "Aoede"},
    counterpart{"echo", "Charon"},      counterpart{"fable", "Fenrir"},
    counterpart{"onyx", "Orus"},        counterpart{"nova", "Leda"},
    counterpart{"sage", "Sulafat"},     counterpart{"shimmer", "Zephyr"},
    counterpart{"verse", "Iapetus"},    counterpart{"marin", "Despina"},
    counterpart{"cedar", "Algieba"},
};

} // namespace

std::string_view voice_for(std::string_view name) {
  for (const auto voice : voices)
    if (equal_any_case(voice, name))
      return voice;
  for (const auto& [theirs, ours] : counterparts)
    if (equal_any_case(theirs, name))
      return ours;
  return "Kore";
}

} // namespace troupe::gemini
