// SPDX-License-Identifier: Apache-2.0
// The least program that the smallest memory limit has to hold.
int main(void) { return 0; }
