# The bytes of a file as the inside of a C array.
function(segue_bytes_of file bytes)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," inside "${hex}")
  set(${bytes} "${inside}" PARENT_SCOPE)
endfunction()

# segue_embed(target file header namespace name): the file's bytes as a
# std::string_view that `header` declares.
function(segue_embed target file header namespace name)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cc)
  segue_bytes_of(${CMAKE_CURRENT_SOURCE_DIR}/${file} bytes)
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

# segue_embed_all(target pattern header namespace name): the bytes of all files of
# a pattern, by name, as the std::span<const std::string_view> that `header` declares.
function(segue_embed_all target pattern header namespace name)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cc)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${pattern})
  set(arrays)
  set(views)
  foreach(file ${files})
    segue_bytes_of(${file} bytes)
    list(LENGTH views n)
    string(APPEND arrays "constexpr char kBytes${n}[] = {${bytes}};\n")
    list(APPEND views "{kBytes${n}, sizeof kBytes${n}}")
  endforeach()
  list(JOIN views ", " views)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"

namespace ${namespace} {
namespace {
${arrays}constexpr std::string_view kViews[] = {${views}};
}
const std::span<const std::string_view> ${name}(kViews);
}
" @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()
