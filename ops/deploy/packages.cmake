# What `ops/package` packs: a tarball and a .deb of the one program.
install(TARGETS millrace RUNTIME DESTINATION bin COMPONENT millrace)
install(FILES README.md LICENSE DESTINATION share/doc/millrace COMPONENT millrace)
install(FILES ops/deploy/millrace.service DESTINATION lib/systemd/system COMPONENT millrace)
install(FILES ops/deploy/millrace.env DESTINATION /etc/millrace COMPONENT settings
        PERMISSIONS OWNER_READ OWNER_WRITE)  # it may hold keys

set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_VENDOR millrace)
set(CPACK_PACKAGE_CONTACT "millrace maintainers <maintainers@millrace.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "job queue with workers for language models")
set(CPACK_PACKAGE_DESCRIPTION
    "Takes chat jobs over HTTP, runs them against any OpenAI-compatible model and streams\n their words, resumable at every byte. One process with nothing beside it, or edges and\n workers on Kafka and Redis.")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/ops/deploy/conffiles)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGE_FILE_NAME millrace-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};millrace;millrace;/")
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/ops/deploy/by_generator.cmake)
include(CPack)
