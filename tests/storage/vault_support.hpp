#pragma once

#include "storage/cipher.hpp"
#include "storage/vault.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace troupe::storage {

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Leaves a file of mode 0600, as key files are.
inline void put_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
}

inline std::string digits_of(const key_bytes& k) {
  return std::string{print_key_bytes(k).reveal()};
}

/// Text for people must not help anybody to a key: no eight digits of it in a row.
inline void tells_nothing_of(const key_bytes& k, const std::string& text) {
  const auto digits = digits_of(k);
  for (std::size_t at = 0; at + 8 <= digits.size(); ++at)
    EXPECT_EQ(text.find(digits.substr(at, 8)), std::string::npos) << text;
  EXPECT_EQ(text.find(k.view()), std::string::npos);
}

/// A data directory and what a node finds in it at each of its starts.
class vault_stage {
public:
  using columns = std::map<std::string, std::map<std::string, std::string>>;

  vault_stage() { std::filesystem::create_directory(data()); }

  std::string file() const { return data() + "/master.key"; }
  std::string next() const { return file() + ".next"; }
  std::string data() const { return where_.path() + "/data"; }
  std::string beside(const std::string& name) const { return where_.path() + '/' + name; }
  bool exists(const std::string& path) const { return std::filesystem::exists(path); }
  std::vector<std::string> key_files() const {
    std::vector<std::string> names;
    for (const auto& f : std::filesystem::directory_iterator(data()))
      if (f.path().filename().string().starts_with("master.key"))
        names.push_back(f.path().filename().string());
    return names;
  }

  store& db() {
    if (!db_)
      open_store();
    return *db_;
  }
  void open_store() {
    db_.reset();
    auto s = store::open({.directory = data()});
    ASSERT_TRUE(s) << s.error().text;
    db_ = *std::move(s);
  }
  void close_store() { db_.reset(); }

  master_key_source from_file() const { return {{}, {}, file()}; }
  master_key_source from_environment(const key_bytes& k) const {
    return {print_key_bytes(k), {}, file()};
  }
  master_key_source with_previous(master_key_source from, const key_bytes& previous) const {
    from.previous = print_key_bytes(previous);
    return from;
  }

  /// A start: the store is opened anew, then the vault.
  std::unique_ptr<vault> start(const master_key_source& from) {
    open_store();
    auto v = vault::open(*db_, from);
    if (!v)
      ADD_FAILURE() << v.error().text;
    return v ? *std::move(v) : nullptr;
  }

  /// A start that must fail and must leave everything as it is.
  failure refused_start(const master_key_source& from) {
    open_store();
    const auto before = rows();
    const auto files = key_files();
    std::map<std::string, std::string> texts;
    for (const auto& f : files)
      texts[f] = file_text(data() + '/' + f);
    auto v = vault::open(*db_, from);
    EXPECT_FALSE(v);
    EXPECT_EQ(rows(), before);
    EXPECT_EQ(key_files(), files);
    for (const auto& f : files)
      EXPECT_EQ(file_text(data() + '/' + f), texts[f]);
    return v ? failure{errc::invalid_argument, "it started"} : v.error();
  }

  /// Every row of every column.
  columns rows() {
    columns all;
    auto& from = db();
    for (int c = 0; c <= static_cast<int>(column::audit); ++c) {
      const auto where = static_cast<column>(c);
      auto& into = all[std::string{to_string(where)}];
      const auto read = from.for_each(where, {}, [&](std::string_view row, std::string_view value) {
        into.emplace(row, value);
        return true;
      });
      EXPECT_TRUE(read);
    }
    return all;
  }

private:
  temporary_directory where_;
  std::unique_ptr<store> db_;
};

inline bool says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

/// Opens `sealed` or says why not.
inline std::string opened(const vault& v, std::string_view context, std::string_view sealed) {
  const auto plain = v.open_sealed(context, sealed);
  return plain ? std::string{plain->reveal()} : "refused: " + plain.error().text;
}

inline constexpr const char* here = "keys/0123456789abcdef/secret";
inline constexpr const char* plain = "AIzaSyA-a-secret-that-nobody-may-see-00";

/// A data directory in which something was sealed, for the starts that follow.
class sealed_stage : public testing::Test, protected vault_stage {
protected:
  void begin(const master_key_source& from) {
    const auto v = start(from);
    ASSERT_TRUE(v);
    sealed_ = v->seal(here, plain);
  }
  void still_opens(const vault& v) const { EXPECT_EQ(opened(v, here, sealed_), plain); }
  key_bytes in_file() const {
    const auto k = parse_key_bytes(file_text(file()));
    EXPECT_TRUE(k);
    return k ? *k : key_bytes{};
  }
  void put_key(const std::string& path, const key_bytes& k) { put_file(path, digits_of(k) + '\n'); }

  std::string sealed_;
  const key_bytes one_ = key_bytes::random();
  const key_bytes other_ = key_bytes::random();
};

} // namespace troupe::storage
