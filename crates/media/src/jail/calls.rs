//! seccomp: which system calls ffmpeg may make.
//!
//! A list of what is refused, since what a C library calls differs between machines: networks,
//! other processes, new processes (threads are fine), mounts and kernel interfaces. A refused call
//! fails with `EPERM`, so that a decoder reports an error instead of vanishing.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Calls that no decoder needs.
const REFUSED: &[i64] = &[
    // Networks.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_execveat,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    // File systems and name spaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_memfd_create,
    libc::SYS_quotactl,
    // Kernel interfaces.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_personality,
];

/// Calls that only x86-64 has.
#[cfg(target_arch = "x86_64")]
const OF_THIS_MACHINE: &[i64] =
    &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_modify_ldt];
#[cfg(not(target_arch = "x86_64"))]
const OF_THIS_MACHINE: &[i64] = &[];

/// Numbers of the same calls under the x32 ABI, which shares x86-64's architecture word: this bit
/// is set, and these numbers exist only there (`arch/x86/entry/syscalls/syscall_64.tbl`).
#[cfg(target_arch = "x86_64")]
const X32: Option<(i64, std::ops::Range<i64>)> = Some((0x4000_0000, 512..548));
#[cfg(not(target_arch = "x86_64"))]
const X32: Option<(i64, std::ops::Range<i64>)> = None;

/// Installs the filters; whether both are in force.
pub(super) fn confine() -> bool {
    let Some(refused) = refused() else { return false };
    // The C library falls back to `clone`, whose arguments a filter can see.
    let unknown: Rules = [(libc::SYS_clone3, Vec::new())].into();
    install(unknown, libc::ENOSYS) && install(refused, libc::EPERM)
}

fn refused() -> Option<Rules> {
    let mut rules: Rules =
        REFUSED.iter().chain(OF_THIS_MACHINE).map(|&call| (call, Vec::new())).collect();
    if let Some((bit, own)) = X32 {
        let same: Vec<i64> = rules.keys().copied().collect();
        let more = [libc::SYS_clone, libc::SYS_clone3, libc::SYS_tgkill];
        for call in same.into_iter().chain(more).chain(own) {
            rules.insert(call | bit, Vec::new());
        }
    }
    // A new process instead of a thread.
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![when(0, SeccompCmpOp::MaskedEq(thread), 0)?]);
    // A signal to another process; `abort` sends one to its own.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![when(0, SeccompCmpOp::Ne, own)?]);
    // Limits of another process; 0 means one's own.
    let others = SeccompRule::new(vec![
        compare(0, SeccompCmpOp::Ne, own)?,
        compare(0, SeccompCmpOp::Ne, 0)?,
    ]);
    rules.insert(libc::SYS_prlimit64, vec![others.ok()?]);
    // Typing into a terminal.
    rules.insert(libc::SYS_ioctl, vec![when(1, SeccompCmpOp::Eq, libc::TIOCSTI)?]);
    Some(rules)
}

fn compare(arg: u8, op: SeccompCmpOp, value: u64) -> Option<SeccompCondition> {
    SeccompCondition::new(arg, SeccompCmpArgLen::Dword, op, value).ok()
}

fn when(arg: u8, op: SeccompCmpOp, value: u64) -> Option<SeccompRule> {
    SeccompRule::new(vec![compare(arg, op, value)?]).ok()
}

/// Installs a filter for which a matching call fails with `errno`.
fn install(rules: Rules, errno: i32) -> bool {
    let Ok(arch) = std::env::consts::ARCH.try_into() else { return false };
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch)
        .and_then(BpfProgram::try_from)
        .is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
}
