#pragma once

#include <string>
#include <string_view>

namespace troupe::upstream {

/// What the body of an error says, in whichever of the shapes that speakers of the OpenAI and
/// Anthropic protocols use:
///
///   {"error":{"message","type","code","param"}}   alone or in an array
///   {"type":"error","error":{"type","message"}}
///   {"error":"text"}
///   {"response":{"error":{"code","message"}}}     an event of the Responses API
///   {"type":"error","code","message"}             another
///   {"object":"error","message","type","code"}
///   {"message":...}, {"detail":"text" or [{"msg","loc"}] or {"message"}}
///
/// What is not JSON, such as a proxy's HTML, says nothing.
struct error_words {
  bool is_error = false; ///< the body calls itself one, whatever its status
  bool google = false;   ///< in the words of `google.rpc.Status`
  bool flagged = false;  ///< a router says that moderation refused the prompt
  int status = 0;        ///< a number in `code` or `status`
  std::string message, type, code, param;
};

error_words read_error_words(std::string_view body);

/// The status that an error would have had that came under a good one; 500 if it does not tell.
int implied_status(const error_words& words);

/// `text` in lower case.
std::string lower(std::string_view text);

} // namespace troupe::upstream
