#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace segue::ingest {

/// One file as it was read: the input itself, or a member of an archive.
struct Unpacked {
  std::string name;             ///< as ObjectRecord::name: "a.zip!b.json" for members
  std::filesystem::path path;   ///< its bytes, in the scratch folder
  std::string sha256;           ///< of those bytes
  int64_t bytes = 0;
  std::string loss;             ///< what could not be read; "" all was there
  std::string refusal;          ///< why it must not be taken in; "" none
};

struct UnpackResult {
  std::vector<Unpacked> files;
  bool grew = false;            ///< the input changed while it was read
};

/// Copies `input` into `scratch`, unpacking whatever is an archive by content:
/// gzip, bzip2, xz, zstd, zip, tar, and these in each other, four deep. Of a
/// damaged archive, what can be read is kept and `loss` says what is missing.
/// An archive that would unpack to more than `max_expanded_bytes` is refused
/// whole. Members' names are never used as paths. Folders, links and operating
/// systems' clutter are passed over.
///
/// Errors are the machine's: kNotFound, kPermission, kNoSpace, kIo; kInvalid
/// where `input` is not a regular file.
Result<UnpackResult> Unpack(const std::filesystem::path& input, const std::string& name,
                            const std::filesystem::path& scratch, int64_t max_expanded_bytes);

}  // namespace segue::ingest
