#include "client.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace sandbox::test {
namespace {

// What the protocol vectors say a translator sends must be good enough for the
// sandbox: it is strict with wrong requests, not with right ones.

/// Vectors that the sandbox rightly refuses, and why.
const std::set<std::string> foreign = {
    // Signatures that neither Gemini nor the sandbox has made.
    "signature-from-extra-content",
    "signature-from-id-tail",
    "messages-thinking-signature-lent",
    "messages-tool-result-image-gen3",
    "responses-request",
    // An unknown field, forwarded untouched on purpose.
    "native-suffix-merged",
};

std::vector<json> upstream_requests(const std::string& file) {
  std::ifstream in{std::string{TROUPE_VECTORS} + "/" + file};
  std::vector<json> found;
  for (const auto& v : json::parse(in)) {
    const auto expected = v.value("expected", json::object());
    if (expected.is_object() && expected.contains("path") && expected.contains("body")
        && expected["path"].get<std::string>().find("Content") != std::string::npos)
      found.push_back(v);
  }
  return found;
}

TEST(vectors, every_upstream_request_is_accepted_unless_it_is_meant_to_be_refused) {
  host h;
  for (const auto* cache : {"cachedContents/abc", "cachedContents/1"})
    h.inside().keep({cache, "k1", "models/gemini-2.5-flash", 0, now()});
  std::size_t accepted = 0, refused = 0;
  for (const auto* file : {"openai-request.json", "anthropic-request.json", "native.json",
                           "roundtrip.json", "responses-api.json"})
    for (const auto& v : upstream_requests(file)) {
      const auto name = v["name"].get<std::string>();
      const auto path = v["expected"]["path"].get<std::string>();
      if (path.find("enerateContent") == std::string::npos)
        continue;
      const auto r = h.post(path, v["expected"]["body"].dump());
      EXPECT_EQ(r.status, foreign.contains(name) ? 400 : 200) << file << ' ' << name << r.body;
      ++(r.status == 200 ? accepted : refused);
    }
  EXPECT_GE(accepted, 60U);
  EXPECT_EQ(refused, foreign.size());
}

} // namespace
} // namespace sandbox::test
