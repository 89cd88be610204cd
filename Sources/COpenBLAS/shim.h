#ifndef FLOWSTEER_COPENBLAS_H
#define FLOWSTEER_COPENBLAS_H
#include <cblas.h>
#endif
