#include "actors/cli/cli.hpp"
#include "actors/serve.hpp"

int main(int argc, char** argv) {
  return troupe::run_cli(argc, argv, &troupe::serve);
}
