/* A libnvidia-ml.so.1 whose devices stand in the text file named by NVML_STUB_FILE, read anew at every call:
 *
 *   gpu INDEX UUID MEMORY_TOTAL MEMORY_USED BUSY_PERCENT NAME
 *   process INDEX PID MEMORY
 *   graphics INDEX PID MEMORY
 *   error INDEX CODE       (15: the device is lost)
 *   bare INDEX             (a device without figures of memory and use)
 *
 * Without that file no driver is loaded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, TOO_SMALL = 7, DRIVER_NOT_LOADED = 9, MOST = 16, MOST_PROCESSES = 256 };
typedef unsigned long long u64;
typedef struct { char uuid[96], name[96]; u64 total, used; unsigned busy; int error, bare; } Device;
typedef struct { unsigned device, pid; u64 memory; int graphics; } Holder;
typedef struct { unsigned devices, holders; Device device[MOST]; Holder holder[MOST_PROCESSES]; } Host;
typedef struct { u64 total, free, used; } Memory;
typedef struct { unsigned gpu, memory; } Use;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } Process;

static int sessions;
static char handles[MOST]; /* a device's handle is the address of its place here */

static int look(Host *host) {
    char line[512];
    const char *path = getenv("NVML_STUB_FILE");
    FILE *file = path ? fopen(path, "r") : NULL;
    memset(host, 0, sizeof *host);
    if (!file) return DRIVER_NOT_LOADED;
    while (fgets(line, sizeof line, file)) {
        unsigned at;
        int code;
        Device new = {0};
        Holder holder = {0};
        if (sscanf(line, "gpu %u %95s %llu %llu %u %95[^\n]", &at, new.uuid, &new.total, &new.used, &new.busy, new.name) == 6 && at < MOST) {
            host->device[at] = new;
            if (at >= host->devices) host->devices = at + 1;
        } else if (sscanf(line, "process %u %u %llu", &holder.device, &holder.pid, &holder.memory) == 3 && host->holders < MOST_PROCESSES) {
            host->holder[host->holders++] = holder;
        } else if (sscanf(line, "graphics %u %u %llu", &holder.device, &holder.pid, &holder.memory) == 3 && host->holders < MOST_PROCESSES) {
            holder.graphics = 1;
            host->holder[host->holders++] = holder;
        } else if (sscanf(line, "bare %u", &at) == 1 && at < MOST) {
            host->device[at].bare = 1;
        } else if (sscanf(line, "error %u %d", &at, &code) == 2 && at < MOST) {
            host->device[at].error = code;
        }
    }
    fclose(file);
    return OK;
}

static int find(Host *host, const void *handle, unsigned *at) {
    int failed = sessions ? look(host) : UNINITIALIZED;
    if (failed) return failed;
    if ((const char *)handle < handles || (const char *)handle >= handles + host->devices) return INVALID;
    *at = (unsigned)((const char *)handle - handles);
    return host->device[*at].error;
}

static int say(char *out, unsigned room, const char *text) {
    if (strlen(text) >= room) return TOO_SMALL;
    strcpy(out, text);
    return OK;
}

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    Host host;
    int failed = look(&host);
    if (!failed) sessions++;
    return failed;
}
int nvmlShutdown(void) { if (!sessions) return UNINITIALIZED; sessions--; return OK; }
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : code == DRIVER_NOT_LOADED ? "Driver Not Loaded" : "Error"; }
int nvmlDeviceGetCount_v2(unsigned *count) {
    Host host;
    int failed = sessions ? look(&host) : UNINITIALIZED;
    if (!failed) *count = host.devices;
    return failed;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned at, void **handle) {
    Host host;
    int failed = sessions ? look(&host) : UNINITIALIZED;
    if (failed) return failed;
    if (at >= host.devices) return INVALID;
    *handle = &handles[at];
    return host.device[at].error;
}
int nvmlDeviceGetName(void *handle, char *out, unsigned room) {
    Host host; unsigned at; int failed = find(&host, handle, &at);
    return failed ? failed : say(out, room, host.device[at].name);
}
int nvmlDeviceGetUUID(void *handle, char *out, unsigned room) {
    Host host; unsigned at; int failed = find(&host, handle, &at);
    return failed ? failed : say(out, room, host.device[at].uuid);
}
int nvmlDeviceGetMemoryInfo(void *handle, Memory *memory) {
    Host host; unsigned at; int failed = find(&host, handle, &at);
    if (failed) return failed;
    if (host.device[at].bare) return NOT_SUPPORTED;
    memory->total = host.device[at].total;
    memory->used = host.device[at].used;
    memory->free = memory->total - memory->used;
    return OK;
}
int nvmlDeviceGetUtilizationRates(void *handle, Use *use) {
    Host host; unsigned at; int failed = find(&host, handle, &at);
    if (failed) return failed;
    if (host.device[at].bare) return NOT_SUPPORTED;
    use->gpu = host.device[at].busy;
    use->memory = 0;
    return OK;
}
static int hold(void *handle, unsigned *count, Process *out, int graphics) {
    Host host; unsigned at, found = 0, room = out ? *count : 0; int failed = find(&host, handle, &at);
    if (failed) return failed;
    for (unsigned each = 0; each < host.holders; each++) {
        if (host.holder[each].device != at || host.holder[each].graphics != graphics) continue;
        if (found < room) {
            out[found].pid = host.holder[each].pid;
            out[found].used = host.holder[each].memory;
            out[found].gpu_instance = out[found].compute_instance = ~0u;
        }
        found++;
    }
    *count = found;
    return found > room ? TOO_SMALL : OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, Process *out) { return hold(handle, count, out, 0); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, Process *out) { return hold(handle, count, out, 1); }
