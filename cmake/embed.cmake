# segue_embed(target file header namespace name): the file's bytes as a
# std::string_view that `header` declares.
function(segue_embed target file header namespace name)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cc)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  file(READ ${CMAKE_CURRENT_SOURCE_DIR}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"

namespace ${namespace} {
namespace {
constexpr char kBytes[] = {${bytes}};
}
const std::string_view ${name}(kBytes, sizeof kBytes);
}
" @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()
