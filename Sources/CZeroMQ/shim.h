#pragma once
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <zmq.h>

// GNU's; the C library declares it only under _GNU_SOURCE, which an importer cannot set.
extern int pthread_setname_np(pthread_t thread, const char *name);
