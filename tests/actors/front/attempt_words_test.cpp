#include "actors/front/attempt_words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

TEST(hide_key, takes_a_key_out_wherever_it_stands_and_whatever_it_looks_like) {
  std::string text = "my-key: Incorrect key my-key; my-ke is fine, my-key";
  hide_key(text, secret{"my-key"});
  EXPECT_EQ(text, "***: Incorrect key ***; my-ke is fine, ***");
}

TEST(hide_key, without_a_key_nothing_is_hidden) {
  std::string text = "as it was";
  hide_key(text, secret{});
  EXPECT_EQ(text, "as it was");
}

} // namespace
} // namespace troupe
