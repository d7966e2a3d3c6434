# Probes of compiler and linker flags. Each adds a flag to a variable when the tool takes it without a word.

# CAIRN_CFLAGS(VARIABLE, FLAG...): blank-separated flags
AC_DEFUN([CAIRN_CFLAGS], [m4_map_args_w([$2], [_CAIRN_CFLAG([$1], ], [)])])
AC_DEFUN([_CAIRN_CFLAG], [
	AS_VAR_PUSHDEF([cairn_cache], [cairn_cv_cflag_$2])dnl
	AC_CACHE_CHECK([whether $CC accepts $2], [cairn_cache], [
		cairn_save=$CFLAGS
		CFLAGS="-O2 -Werror $$1 $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cairn_cache], [yes])], [AS_VAR_SET([cairn_cache], [no])])
		CFLAGS=$cairn_save])
	AS_VAR_IF([cairn_cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cairn_cache])dnl
])

# CAIRN_LDFLAGS(VARIABLE, FLAG...)
AC_DEFUN([CAIRN_LDFLAGS], [m4_map_args_w([$2], [_CAIRN_LDFLAG([$1], ], [)])])
AC_DEFUN([_CAIRN_LDFLAG], [
	AS_VAR_PUSHDEF([cairn_cache], [cairn_cv_ldflag_$2])dnl
	AC_CACHE_CHECK([whether the linker accepts $2], [cairn_cache], [
		cairn_save=$LDFLAGS
		LDFLAGS="$LDFLAGS $2 -Werror"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cairn_cache], [yes])], [AS_VAR_SET([cairn_cache], [no])])
		LDFLAGS=$cairn_save])
	AS_VAR_IF([cairn_cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cairn_cache])dnl
])

# CAIRN_DIR(NAME, VARIABLE, COMMENT): the directory as the program will see it, in config.h
AC_DEFUN([CAIRN_DIR], [
	cairn_prefix=$prefix
	test "x$cairn_prefix" != xNONE || cairn_prefix=$ac_default_prefix
	cairn_exec=$exec_prefix
	test "x$cairn_exec" != xNONE || cairn_exec=$cairn_prefix
	cairn_dir=$(prefix=$cairn_prefix; exec_prefix=$cairn_exec; eval d=\"[$]$2\"; eval d=\"$d\"; eval echo \"$d\")
	AC_DEFINE_UNQUOTED([$1], ["$cairn_dir"], [$3])
])
