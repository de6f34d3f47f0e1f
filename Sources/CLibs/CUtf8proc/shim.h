#pragma once
// utf8proc 2: Unicode normalisation, case and categories.
#include <utf8proc.h>
