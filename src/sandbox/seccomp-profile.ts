/**
 * Which system calls a sandbox's programs may make, in the engine's form. All others are refused with EPERM.
 *
 * Not the engine's own profile, because that differs between engines, and older ones let through what leads past a
 * container's walls: sockets to the hypervisor and to other containers on it (vsock), and io_uring, whose work the filter
 * never sees. Programs of 32 bits don't run at all: their calls for sockets can't be told apart.
 */
const FILES =
  "access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate " +
  "fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat " +
  "fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 " +
  "inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat " +
  "mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink " +
  "readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink symlinkat " +
  "sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev " +
  "io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit";
const WAITING =
  "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 pipe pipe2 poll ppoll pselect6 " +
  "select signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime";
const MEMORY =
  "brk cachestat madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock " +
  "munlockall munmap map_shadow_stack pkey_alloc pkey_free pkey_mprotect process_madvise process_mrelease remap_file_pages";
const PROCESSES =
  "arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv futex_wake " +
  "get_robust_list get_thread_area getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority " +
  "getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill landlock_add_rule " +
  "landlock_create_ruleset landlock_restrict_self pause pidfd_open pidfd_send_signal prctl prlimit64 process_vm_readv " +
  "process_vm_writev ptrace rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr " +
  "sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam " +
  "sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups " +
  "setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid tgkill tkill vfork wait4 waitid";
const SIGNALS_AND_TIME =
  "alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep restart_syscall rt_sigaction " +
  "rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo setitimer " +
  "sigaltstack time timer_create timer_delete timer_getoverrun timer_gettime timer_settime times";
const TALKING =
  "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto " +
  "setsockopt shutdown mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd " +
  "semctl semget semop semtimedop shmat shmctl shmdt shmget";
const OTHERS = "getrandom sysinfo uname";

const UNRESTRICTED = [FILES, WAITING, MEMORY, PROCESSES, SIGNALS_AND_TIME, TALKING, OTHERS].flatMap((names) =>
  names.split(" "),
);

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
/** By which programs list network interfaces. */
const AF_NETLINK = 16;
/** Those flags of clone that make namespaces. */
const CLONE_NAMESPACES = 0x7e02_0000;
/** Linux's own, its 32-bit look, each with an older version's number, and the question which it is. */
const PERSONALITIES = [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff];
const ENOSYS = 38;
const EPERM = 1;

const allow = (name: string, index: number, value: number) => ({
  names: [name],
  action: "SCMP_ACT_ALLOW",
  args: [{ index, value, op: "SCMP_CMP_EQ" }],
});

/** As the engine's `SecurityOpt` takes it after `seccomp=`. */
export const SECCOMP_PROFILE = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: EPERM,
  archMap: [{ architecture: "SCMP_ARCH_X86_64" }, { architecture: "SCMP_ARCH_AARCH64" }],
  syscalls: [
    { names: UNRESTRICTED, action: "SCMP_ACT_ALLOW" },
    ...[AF_UNIX, AF_INET, AF_INET6, AF_NETLINK].map((family) => allow("socket", 0, family)),
    allow("socketpair", 0, AF_UNIX),
    ...PERSONALITIES.map((persona) => allow("personality", 0, persona)),
    {
      names: ["clone"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
    },
    // Its flags are in memory, where the filter can't see them. C libraries then use clone.
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ],
});
