#include "tests/vector_runner/run.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string_view>

/// Runs every vector of a folder, tells each that fails and ends with `N passed, N failed`.

namespace troupe::vectors {
namespace {

constexpr std::string_view usage =
    "usage: vector_runner [--offered] [--only LEVEL] [--files NAME,NAME...] DIR\n"
    "  --offered     only the files of what the product offers now\n"
    "  --only LEVEL  only vectors of this level: required or go-beyond\n"
    "  --files LIST  only these files, without .json\n"
    "A vector that cannot be run counts as failed. Ends with `N passed, N failed` and exit\n"
    "code 0 if none failed, 1 if some did, 2 if it could not begin.\n";

const std::vector<std::string> offered{"openai-request", "openai-response", "openai-stream",
                                       "errors",         "sse-parse",       "native",
                                       "schema"};

struct arguments {
  std::string folder;
  std::string level;
  std::vector<std::string> files; ///< empty: all
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const auto end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::optional<arguments> read_arguments(const std::vector<std::string>& given) {
  arguments read;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& word = given[i];
    const bool has_value = i + 1 < given.size();
    if (word == "--offered")
      read.files = offered;
    else if (word == "--only" && has_value)
      read.level = given[++i];
    else if (word == "--files" && has_value)
      read.files = split(given[++i]);
    else if (word.rfind("--", 0) == 0 || !read.folder.empty())
      return std::nullopt;
    else
      read.folder = word;
  }
  if (read.folder.empty())
    return std::nullopt;
  return read;
}

std::optional<json> load(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  auto vectors = json::parse(text, nullptr, false);
  if (!in.good() && text.empty())
    return std::nullopt;
  return vectors.is_array() ? std::optional{std::move(vectors)} : std::nullopt;
}

/// Runs one vector and prints how it failed, if it did.
bool passes(const json& vector, const std::string& file) {
  const auto name = vector.value("name", "(no name)");
  const auto rules = vector.value("rules", std::vector<std::string>{});
  matcher found{std::find(rules.begin(), rules.end(), "G3") != rules.end()};
  bool ran = false;
  try {
    ran = run(vector, found);
  } catch (const json::exception& e) {
    found.report("(vector)", "a vector as tests/vectors/README.md describes it", e.what());
  }
  if (!ran && found.differences().empty())
    found.report("(vector)", "to be run", "nothing here can run it yet");
  if (found.differences().empty())
    return true;
  std::cout << "FAILED " << name << " (" << file << ")\n";
  for (const auto& d : found.differences())
    std::cout << "  " << d.path << "\n    - " << d.expected << "\n    + " << d.got << "\n";
  return false;
}

std::vector<std::filesystem::path> files_in(const arguments& asked) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{asked.folder, error})
    if (entry.path().extension() == ".json")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

int run_all(const arguments& asked) {
  std::size_t passed = 0, failed = 0;
  auto missing = asked.files;
  for (const auto& file : files_in(asked)) {
    const auto name = file.stem().string();
    if (!asked.files.empty()
        && std::find(asked.files.begin(), asked.files.end(), name) == asked.files.end())
      continue;
    missing.erase(std::remove(missing.begin(), missing.end(), name), missing.end());
    const auto vectors = load(file);
    if (!vectors) {
      std::cout << "FAILED " << file.string() << ": not an array of vectors\n";
      ++failed;
      continue;
    }
    for (const auto& vector : *vectors)
      if (asked.level.empty() || vector.value("level", "") == asked.level)
        ++(passes(vector, file.filename().string()) ? passed : failed);
  }
  for (const auto& name : missing) {
    std::cout << "FAILED " << name << ".json is not in " << asked.folder << "\n";
    ++failed;
  }
  std::cout << passed << " passed, " << failed << " failed\n";
  if (passed + failed == 0) {
    std::cerr << "no vectors in " << asked.folder << "\n";
    return 2;
  }
  return failed == 0 ? 0 : 1;
}

} // namespace
} // namespace troupe::vectors

int main(int argc, char** argv) {
  const auto asked =
      troupe::vectors::read_arguments(std::vector<std::string>(argv + 1, argv + argc));
  if (!asked) {
    std::cerr << troupe::vectors::usage;
    return 2;
  }
  return troupe::vectors::run_all(*asked);
}
