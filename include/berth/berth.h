/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BERTH_H
#define BERTH_BERTH_H

/*
 * The C interface of libberth (C11), over the classes of the other headers, which say more of what
 * each call does.
 *
 * Handles are opaque. Each is used by one thread at a time; different handles by any, also of one
 * container. Only a factory may be used by many threads at once.
 *
 * Every function that can fail takes a `berth_error **error` last. On failure it returns -1 or NULL
 * and, unless `error` is NULL, stores an error there, which the caller frees. On success it leaves
 * `*error` alone. There is no errno and no last error.
 *
 * `char *` that is returned belongs to the caller, who frees it by berth_string_free;
 * `const char *` belongs to the handle that it was asked of. What a function is given it copies.
 *
 * A structure of options begins with its size as the caller was compiled: later versions of the
 * library add members at the end and take what is not there for 0. All other members may stay 0.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Why something failed. */
typedef struct berth_error berth_error;
/** Makes and finds the containers below one state root. */
typedef struct berth_factory berth_factory;
/** A container by id. */
typedef struct berth_container berth_container;
/** A process of a container that the caller has started. */
typedef struct berth_process berth_process;
/** What happens to one container, as a descriptor for the caller's poll loop. */
typedef struct berth_events berth_events;

/** What a caller can do about a failure. */
enum berth_error_kind {
  BERTH_NO_ERROR = 0,
  BERTH_INVALID_CONFIG = 1, /**< config.json is wrong; berth_error_pointer says where */
  BERTH_INVALID_USE = 2,    /**< the caller broke the rules of the interface */
  BERTH_NOT_FOUND = 3,      /**< no such container */
  BERTH_ALREADY_EXISTS = 4, /**< the id is taken */
  BERTH_WRONG_STATE = 5,    /**< the container's status does not allow it */
  BERTH_UNSUPPORTED = 6,    /**< this kernel or this build cannot do it */
  BERTH_SYSTEM = 7,         /**< a system call failed; berth_error_errno says why */
  BERTH_INTERNAL = 8        /**< a bug in berth */
};

/** The status of a container. */
enum berth_status {
  BERTH_CREATING = 0,
  BERTH_CREATED = 1,
  BERTH_RUNNING = 2,
  BERTH_PAUSED = 3,
  BERTH_STOPPED = 4
};

/** Who makes cgroups. */
enum berth_cgroup_manager {
  BERTH_CGROUP_FILESYSTEM = 0, /**< berth itself */
  BERTH_CGROUP_SYSTEMD = 1,    /**< systemd, a scope for each container */
  BERTH_CGROUP_DISABLED = 2    /**< nobody: containers stay in the caller's cgroup */
};

/** The version of the library, such as "0.1.0". */
const char* berth_version(void);

/** Frees a string that a function has returned. NULL is allowed. */
void berth_string_free(char* text);

/** One of enum berth_error_kind; BERTH_NO_ERROR for NULL. */
int berth_error_kind(const berth_error* error);
/** errno of the system call that failed, or 0. */
int berth_error_errno(const berth_error* error);
/** One sentence: what was being done, the cause, the place in config.json. */
const char* berth_error_message(const berth_error* error);
/** The cause alone. */
const char* berth_error_cause(const berth_error* error);
/** RFC 6901 pointer into config.json, or "". */
const char* berth_error_pointer(const berth_error* error);
/** The step that failed (docs/protocol.md), or "". */
const char* berth_error_step(const berth_error* error);
/** Frees an error. NULL is allowed. */
void berth_error_free(berth_error* error);

/** Where the records of containers are, and what holds for all of them. */
struct berth_factory_options {
  size_t size;            /**< sizeof(struct berth_factory_options) */
  const char* state_root; /**< NULL: the one of the command line, /run/berth for root */
  int cgroup_manager;     /**< enum berth_cgroup_manager */
  /** Called, by the thread that creates or execs, for what is carried out differently than asked.
   */
  void (*on_warning)(void* data, const char* text);
  void* data; /**< the first argument of on_warning */
};

/** What to make a container of. */
struct berth_create_options {
  size_t size;                /**< sizeof(struct berth_create_options) */
  const char* bundle;         /**< directory; NULL: the current one */
  const char* config_file;    /**< other file than BUNDLE/config.json */
  const char* config_json;    /**< the text itself, instead of a file */
  const char* console_socket; /**< AF_UNIX socket that gets the terminal's master */
  const char* pid_file;       /**< is written with the pid of the first process */
  const char* pidfd_socket;   /**< AF_UNIX socket that gets its pidfd */
  const char* notify_socket;  /**< the caller's $NOTIFY_SOCKET, for the program's READY */
  /** Not 0: a terminal's master stays with the process's handle (berth_process_console). */
  int foreground;
  int no_pivot;       /**< not 0: without pivot_root */
  int no_new_keyring; /**< not 0: with the caller's session keyring */
  int preserve_fds;   /**< descriptors 3..3+n-1 of the caller stay open */
  /**
   * NULL, or three descriptors that become standard input, output and error; -1 in it: the
   * caller's own of that number.
   */
  const int* streams;
  uint16_t rows;    /**< of a terminal for which config.json has no size; 0: not known */
  uint16_t columns; /**< the same */
};

/** What to run in a running container: process_json, or the members from args to terminal. */
struct berth_exec_options {
  size_t size;                     /**< sizeof(struct berth_exec_options) */
  const char* process_json;        /**< the spec's process object, used as it is */
  const char* const* args;         /**< ends with NULL */
  const char* const* env;          /**< added to the config's; NULL, or ends with NULL */
  const char* cwd;                 /**< NULL: the config's */
  const char* user;                /**< "uid" or "uid:gid"; NULL: the config's */
  const uint32_t* additional_gids; /**< added to the config's */
  size_t additional_gid_count;     /**< how many they are */
  const char* const* capabilities; /**< added: "CAP_NET_RAW"; NULL, or ends with NULL */
  const char* apparmor_profile;    /**< NULL: the config's */
  const char* selinux_label;       /**< NULL: the config's */
  int no_new_privileges;           /**< not 0: set it, whatever the config says */
  int terminal;                    /**< not 0: with a terminal */
  const char* const* cgroups;      /**< "[controller,...:]/sub/path"; NULL, or ends with NULL */
  int ignore_paused;               /**< not 0: also in a paused container */
  const char* console_socket;      /**< as in berth_create_options, as are the following */
  const char* pid_file;            /**< the pid of the new process */
  const char* pidfd_socket;        /**< gets its pidfd */
  int foreground;                  /**< not 0: the master stays with the handle */
  int preserve_fds;                /**< descriptors 3..3+n-1 of the caller stay open */
  const int* streams;              /**< NULL, or three descriptors */
  uint16_t rows;                   /**< of a terminal; 0: not known */
  uint16_t columns;                /**< the same */
};

/** What berth_container_update changes; what is NULL stays as it is. */
struct berth_update_options {
  size_t size;                 /**< sizeof(struct berth_update_options) */
  const char* resources_json;  /**< an object like linux.resources of config.json */
  const char* l3_cache_schema; /**< a line of resctrl's schemata */
  const char* mem_bw_schema;   /**< the same */
  int force; /**< not 0: also a memory limit below what is in use (processes are killed) */
  /** Of all of its processes: an object with oomScoreAdj, rlimits, scheduler and ioPriority as in
   * process of config.json, and cpuAffinity ("0-3"). */
  const char* process_json;
};

/** How a process ended. */
struct berth_exit_status {
  int code;   /**< when it exited by itself */
  int signal; /**< that killed it; 0: it exited by itself */
};

/** options may be NULL. Touches nothing yet. */
berth_factory* berth_factory_open(const struct berth_factory_options* options, berth_error** error);
/** Frees the handle; containers live on. NULL is allowed, here and for all handles. */
void berth_factory_close(berth_factory* factory);
/** Builds everything up to, but not including, the program's execve. */
berth_container* berth_factory_create(berth_factory* factory, const char* id,
                                      const struct berth_create_options* options,
                                      berth_error** error);
/**
 * create and start in one; returns when the program's execve has happened. *process is the caller's
 * child, by a handle to close; `process` may not be NULL.
 */
berth_container* berth_factory_run(berth_factory* factory, const char* id,
                                   const struct berth_create_options* options,
                                   berth_process** process, berth_error** error);
/** A container that exists. */
berth_container* berth_factory_load(const berth_factory* factory, const char* id,
                                    berth_error** error);
/**
 * All containers, sorted by id: a JSON array of state documents (berth_container_state). Of one
 * whose record cannot be read there are "id" and "error" only.
 */
char* berth_factory_list(const berth_factory* factory, berth_error** error);
/** What create would do, as JSON, without doing it and without privileges. */
char* berth_factory_plan(const berth_factory* factory, const char* id,
                         const struct berth_create_options* options, berth_error** error);

/** Frees the handle; the container lives on. */
void berth_container_close(berth_container* container);
/** As it was given to create. */
const char* berth_container_id(const berth_container* container);
/** The state document of runtime-spec as JSON, as `berth state` prints it. */
char* berth_container_state(const berth_container* container, berth_error** error);
/** One of enum berth_status, or -1. */
int berth_container_status(const berth_container* container, berth_error** error);
/**
 * Created -> Running; returns 0 when the program's execve has happened. notify_socket: NULL, or as
 * in berth_create_options.
 */
int berth_container_start(berth_container* container, const char* notify_socket,
                          berth_error** error);
/** One more process; it is the caller's child. Returns when its execve has happened. */
berth_process* berth_container_exec(berth_container* container,
                                    const struct berth_exec_options* options, berth_error** error);
/** To the first process; with all not 0, to every process of the container's cgroup. */
int berth_container_signal(berth_container* container, int signal_number, int all,
                           berth_error** error);
/** Running -> Paused. */
int berth_container_pause(berth_container* container, berth_error** error);
/** Paused -> Running. */
int berth_container_resume(berth_container* container, berth_error** error);
/** Changes limits, and attributes of its processes, while it runs. All or nothing. */
int berth_container_update(berth_container* container, const struct berth_update_options* options,
                           berth_error** error);
/**
 * Makes interfaces in its network namespace, all or none: a JSON array of objects as in the
 * annotation run.berth.interfaces (docs/networking.md). Returns their names as a JSON array.
 */
char* berth_container_attach_interfaces(berth_container* container, const char* interfaces_json,
                                        berth_error** error);
/** Removes one that berth has made. */
int berth_container_detach_interface(berth_container* container, const char* name,
                                     berth_error** error);
/** All network devices in its network namespace, as `berth net list --format json`. */
char* berth_container_interfaces(const berth_container* container, berth_error** error);
/**
 * Mounts into it while it runs, all or none: a JSON array of objects as in config.json's "mounts".
 * The token, returned, names the request: with one that was done already nothing is done again.
 * NULL: a new one.
 */
char* berth_container_add_mounts(berth_container* container, const char* mounts_json,
                                 const char* token, berth_error** error);
/** Puts others in the place of mounts, without a moment in which nothing is there (Linux 6.5). */
char* berth_container_replace_mounts(berth_container* container, const char* mounts_json,
                                     const char* token, int force, berth_error** error);
/** Changes attributes of mounts: of each object the destination and the options count. */
int berth_container_change_mounts(berth_container* container, const char* mounts_json, int force,
                                  berth_error** error);
/** Unmounts one by its destination, or all of a token. Not added by berth: only with force not 0.
 */
int berth_container_remove_mounts(berth_container* container, const char* name, int force,
                                  berth_error** error);
/** What was mounted so, as `berth mounts list --format json`. */
char* berth_container_mounts(const berth_container* container, berth_error** error);
/**
 * The pids of its cgroup, in the caller's pid namespace. At most `count` are stored in `pids`;
 * returns how many there are, or -1.
 */
ssize_t berth_container_processes(const berth_container* container, pid_t* pids, size_t count,
                                  berth_error** error);
/** What the kernel counts for its cgroup: the JSON of the "data" of `berth events --stats`. */
char* berth_container_stats(const berth_container* container, berth_error** error);
/** The same as an OpenMetrics text. */
char* berth_container_openmetrics(const berth_container* container, berth_error** error);
/** From now on, until its first process has ended. */
berth_events* berth_container_events(const berth_container* container, berth_error** error);
/** Blocks until the first process has ended; the exit record as JSON (`berth wait -f json`). */
char* berth_container_wait(berth_container* container, berth_error** error);
/** The exit record of a container that has ended. */
char* berth_container_exit_record(const berth_container* container, berth_error** error);
/** By the parent of the first process, who has reaped it; the exit record. */
char* berth_container_record_exit(berth_container* container,
                                  const struct berth_exit_status* status, berth_error** error);
/** Stopped or Created -> gone; with force not 0 from any status. The handle is still to be closed.
 */
int berth_container_destroy(berth_container* container, int force, berth_error** error);

/** Frees the handle. The process lives on, and stays the caller's child. */
void berth_process_close(berth_process* process);
/** In the caller's pid namespace. */
pid_t berth_process_pid(const berth_process* process);
/** Readable (poll) once the process has ended. Owned by the handle, as all descriptors are. */
int berth_process_pidfd(const berth_process* process);
/** The terminal's master, where there is one and no console socket was given; else -1. */
int berth_process_console(const berth_process* process);
/** Readable when there is something for notify_socket; else -1. */
int berth_process_notify(const berth_process* process);
/** Takes that on. */
int berth_process_pass_notification(berth_process* process, berth_error** error);
/** Blocks until it has ended, and reaps it. */
int berth_process_wait(berth_process* process, struct berth_exit_status* status,
                       berth_error** error);
/** Sends a signal to it alone. */
int berth_process_signal(berth_process* process, int signal_number, berth_error** error);

/** Frees the stream. */
void berth_events_close(berth_events* events);
/** Readable when there may be something to tell. */
int berth_events_fd(const berth_events* events);
/**
 * 1: *json is the next event, the caller's to free; 0: there is none now; -1: failure. An event is
 * {"type":"oom","data":{...}} or {"type":"exit","data":{...}}, with data as in `berth events` and
 * berth_container_wait. The exit is the last one.
 */
int berth_events_next(berth_events* events, char** json, berth_error** error);

/** What is done with the files of lxcfs in containers. */
enum berth_lxcfs_action {
  BERTH_LXCFS_LOOK = 0,    /**< nothing is changed */
  BERTH_LXCFS_MOUNT = 1,   /**< every file that lxcfs offers and the container has */
  BERTH_LXCFS_UNMOUNT = 2, /**< every file of lxcfs */
  BERTH_LXCFS_REMOUNT = 3  /**< those of an lxcfs that is dead become those of the one that runs */
};

/** For berth_lxcfs_change. */
struct berth_lxcfs_options {
  size_t size;           /**< sizeof(struct berth_lxcfs_options) */
  const char* directory; /**< where lxcfs is mounted; NULL: looked for */
  int timeout_ms;        /**< for lxcfs to answer, and for each container; 0: 10000 */
};

/**
 * The files of lxcfs in all containers of the host, whoever runs them. Returns 1 when nothing
 * failed and nothing is stale, 0 when something is, and stores what `berth lxcfs status --all
 * --format json` prints in `report_json`, unless it is NULL. -1: nothing could be done.
 */
int berth_lxcfs_change(int action, const struct berth_lxcfs_options* options, char** report_json,
                       berth_error** error);

#ifdef __cplusplus
}
#endif

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif
