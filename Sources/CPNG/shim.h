#ifndef FLOWSTEER_CPNG_H
#define FLOWSTEER_CPNG_H
#include <png.h>
#endif
