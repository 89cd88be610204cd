#ifndef FLOWSTEER_CZEROMQ_H
#define FLOWSTEER_CZEROMQ_H
#include <pthread.h>
#include <sys/eventfd.h>
#include <zmq.h>

/* glibc has it, but declares it only for _GNU_SOURCE, which Swift's Glibc module is built without. */
int pthread_setname_np(pthread_t thread, const char *name);
#endif
