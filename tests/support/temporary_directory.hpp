#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace troupe {

/// A directory of its own for one test, gone with it.
class temporary_directory {
public:
  temporary_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
    if (const char* made = ::mkdtemp(pattern.data()))
      path_ = made;
    else
      std::abort();
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::string& path() const { return path_; }

private:
  std::string path_;
};

} // namespace troupe
