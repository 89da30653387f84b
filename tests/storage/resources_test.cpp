#include "storage/resources.hpp"

#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace troupe::storage {
namespace {

class resources_test : public testing::Test {
protected:
  void SetUp() override {
    auto opened = store::open({.directory = where_.path()});
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = *std::move(opened);
  }

  void put(const std::string& name, const std::string& value) {
    ASSERT_TRUE(store_->put(column::resources, name, value, durability::process));
  }

  temporary_directory where_;
  std::unique_ptr<store> store_;
};

TEST_F(resources_test, every_row_is_given_with_its_name) {
  const resource_item one{.key = 1, .credential = 2, .expires_at_ms = 3};
  const resource_item other{.key = 4, .credential = 0, .expires_at_ms = -5};
  put("files/a", encode(one));
  put("resp_b", encode(other));
  std::map<std::string, resource_item> got;
  const auto bad = load_resources(
      *store_, [&](std::string_view name, const resource_item& r) { got.emplace(name, r); });
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->rows, 0U);
  EXPECT_EQ(got, (std::map<std::string, resource_item>{{"files/a", one}, {"resp_b", other}}));
}

TEST_F(resources_test, damaged_rows_are_told_and_skipped) {
  put("files/a", "");
  put("files/b", "\x09");
  put("files/c", encode(resource_item{.key = 0, .credential = 1, .expires_at_ms = 1}));
  put("files/d", encode(resource_item{.key = 7, .credential = 1, .expires_at_ms = 1}));
  put(std::string(257, 'x'), encode(resource_item{.key = 7, .credential = 1, .expires_at_ms = 1}));
  int good = 0;
  const auto bad = load_resources(*store_, [&](std::string_view, const resource_item&) { ++good; });
  ASSERT_TRUE(bad);
  EXPECT_EQ(good, 1);
  EXPECT_EQ(bad->rows, 4U);
  EXPECT_EQ(bad->words,
            (std::vector<std::string>{"a resource's record is empty",
                                      "a resource's record has schema 9, this version knows 1",
                                      "a resource's record names no key",
                                      "a resource lies under a name of 257 bytes"}));
}

TEST_F(resources_test, of_many_damaged_rows_the_first_are_told_in_words) {
  for (int i = 0; i < 50; ++i)
    put("files/" + std::to_string(i), "x");
  const auto bad = load_resources(*store_, [](std::string_view, const resource_item&) {});
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->rows, 50U);
  EXPECT_EQ(bad->words.size(), 20U);
}

TEST_F(resources_test, a_store_that_cannot_be_read_is_a_failure) {
  ASSERT_TRUE(store_->close());
  const auto bad = load_resources(*store_, [](std::string_view, const resource_item&) {});
  EXPECT_FALSE(bad);
}

} // namespace
} // namespace troupe::storage
