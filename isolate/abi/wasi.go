package abi

// WASIModule is the second import module a guest may use: what Go's wasip1 port and wasi-libc
// link in whether the program needs it or not.
const WASIModule = "wasi_snapshot_preview1"

// WASIFunctions is all of preview 1. Importing any of them is allowed, since linkers pull in
// functions that are never called; what a sandbox has no answer for returns an errno instead
// (ABI.md, "WASI").
var WASIFunctions = []Function{
	{"args_get", "ii", "i", "argv buf -> errno"},
	{"args_sizes_get", "ii", "i", "count size -> errno"},
	{"environ_get", "ii", "i", "env buf -> errno"},
	{"environ_sizes_get", "ii", "i", "count size -> errno"},
	{"clock_res_get", "ii", "i", "clock out -> errno"},
	{"clock_time_get", "iIi", "i", "clock precision out -> errno"},

	{"fd_advise", "iIIi", "i", "fd offset len advice -> errno"},
	{"fd_allocate", "iII", "i", "fd offset len -> errno"},
	{"fd_close", "i", "i", "fd -> errno"},
	{"fd_datasync", "i", "i", "fd -> errno"},
	{"fd_fdstat_get", "ii", "i", "fd out -> errno"},
	{"fd_fdstat_set_flags", "ii", "i", "fd flags -> errno"},
	{"fd_fdstat_set_rights", "iII", "i", "fd base inheriting -> errno"},
	{"fd_filestat_get", "ii", "i", "fd out -> errno"},
	{"fd_filestat_set_size", "iI", "i", "fd size -> errno"},
	{"fd_filestat_set_times", "iIIi", "i", "fd atim mtim flags -> errno"},
	{"fd_pread", "iiiIi", "i", "fd iovs count offset out -> errno"},
	{"fd_prestat_get", "ii", "i", "fd out -> errno"},
	{"fd_prestat_dir_name", "iii", "i", "fd path len -> errno"},
	{"fd_pwrite", "iiiIi", "i", "fd iovs count offset out -> errno"},
	{"fd_read", "iiii", "i", "fd iovs count out -> errno"},
	{"fd_readdir", "iiiIi", "i", "fd buf len cookie out -> errno"},
	{"fd_renumber", "ii", "i", "from to -> errno"},
	{"fd_seek", "iIii", "i", "fd offset whence out -> errno"},
	{"fd_sync", "i", "i", "fd -> errno"},
	{"fd_tell", "ii", "i", "fd out -> errno"},
	{"fd_write", "iiii", "i", "fd iovs count out -> errno"},

	{"path_create_directory", "iii", "i", "fd path len -> errno"},
	{"path_filestat_get", "iiiii", "i", "fd flags path len out -> errno"},
	{"path_filestat_set_times", "iiiiIIi", "i", "fd flags path len atim mtim fst -> errno"},
	{"path_link", "iiiiiii", "i", "fd flags path len to new newlen -> errno"},
	{"path_open", "iiiiiIIii", "i", "fd dirflags path len oflags base inheriting fdflags out -> errno"},
	{"path_readlink", "iiiiii", "i", "fd path len buf cap out -> errno"},
	{"path_remove_directory", "iii", "i", "fd path len -> errno"},
	{"path_rename", "iiiiii", "i", "fd path len to new newlen -> errno"},
	{"path_symlink", "iiiii", "i", "old oldlen fd new newlen -> errno"},
	{"path_unlink_file", "iii", "i", "fd path len -> errno"},

	{"poll_oneoff", "iiii", "i", "in out count events -> errno"},
	{"proc_exit", "i", "", "status"},
	{"proc_raise", "i", "i", "signal -> errno"},
	{"sched_yield", "", "i", "-> errno"},
	{"random_get", "ii", "i", "ptr len -> errno"},

	{"sock_accept", "iii", "i", "fd flags out -> errno"},
	{"sock_recv", "iiiiii", "i", "fd iovs count flags n oflags -> errno"},
	{"sock_send", "iiiii", "i", "fd iovs count flags n -> errno"},
	{"sock_shutdown", "ii", "i", "fd how -> errno"},
}
