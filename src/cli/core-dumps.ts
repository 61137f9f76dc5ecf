/** Core dumps of this process: what it knows (tokens, master keys) must not be written to a disk when it crashes. */
import { writeFileSync } from 'node:fs';

/**
 * Takes this process's memory, all threads' and child processes' too, out of core dumps: what the kernel still writes are
 * registers and a list of mappings. Linux has a switch for it (core(5), "Controlling which mappings are written to the core
 * dump"); elsewhere, and where `/proc` is not mounted, the operator switches core dumps off (docs/security.md).
 */
export function keepMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // No such switch here.
  }
}
