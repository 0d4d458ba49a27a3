#include "tests/seams/object_store_suite.h"
#include "shared/disk/directory_object_store.h"
#include "tests/seams/edge_fetch.h"
#include "tests/shared/disk/temp_folder.h"

namespace millrace {
namespace {

class DirectoryWorld final : public ObjectStoreWorld {
 public:
  std::unique_ptr<ObjectStore> port(Clock& clock) override { return first_.port(clock); }
  std::unique_ptr<ObjectStore> other_process(Clock& clock) override { return second_.port(clock); }
  Fetched fetch(TestLoop& loop, const std::string& link, Duration later) override {
    return edge_fetch(loop, *port(loop.clock()), signer_, link, later);
  }

 private:
  TempFolder folder_;
  const LinkSigner signer_{"a secret"};
  const LinkSigner others_{"a secret"};
  DirectoryObjectStore first_{folder_ / "objects", signer_};
  DirectoryObjectStore second_{folder_ / "objects", others_};
};

std::unique_ptr<ObjectStoreWorld> make_directory_world() {
  return std::make_unique<DirectoryWorld>();
}

INSTANTIATE_TEST_SUITE_P(Directory, ObjectStoreSuite, testing::Values(make_directory_world));

}  // namespace
}  // namespace millrace
