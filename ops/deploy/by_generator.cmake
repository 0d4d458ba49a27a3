# Read by CPack for each kind of package. The tarball is for any place, so it has no file in /etc.
if(CPACK_GENERATOR STREQUAL "DEB")
  list(GET CPACK_INSTALL_CMAKE_PROJECTS 0 build)
  list(APPEND CPACK_INSTALL_CMAKE_PROJECTS "${build};millrace;settings;/")
else()
  set(CPACK_PACKAGING_INSTALL_PREFIX "")
endif()
