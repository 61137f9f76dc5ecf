/** Uses of customers' credentials, counted by purpose and written together: one row a minute, not one a call. */
import { breathe } from '../breathe.ts';
import type { Clock } from '../clock.ts';
import type { AuditEntry } from './log.ts';

/**
 * What a credential was used for. `call`: a unified call; `passthrough`; `test`: trying a new grant; `exchange`: a code for
 * tokens; `refresh`; `revoke`; `report`: a report job.
 */
export type CredentialPurpose = 'call' | 'passthrough' | 'test' | 'exchange' | 'refresh' | 'revoke' | 'report';

export interface CredentialUse {
  workspaceId: string;
  purpose: CredentialPurpose;
  /** Absent where there is no connection yet. */
  connectionId?: string | undefined;
  /** The API key that asked for it; absent = the server of its own accord, or a customer in the connect flow. */
  keyId?: string | undefined;
  /** Requests to the platform; default 1. */
  count?: number | undefined;
}

const INTERVAL_MS = 60_000;
/** Uses per row. */
const PER_ROW = 200;

interface Counted {
  connection_id: string | undefined;
  purpose: CredentialPurpose;
  key_id: string | undefined;
  count: number;
}

export class CredentialUses {
  readonly #clock: Clock;
  readonly #write: (entry: AuditEntry) => void;
  /** By workspace and connection. */
  #counted = new Map<string, Map<string | undefined, Counted[]>>();
  #since: Date | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, write: (entry: AuditEntry) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  add({ workspaceId, purpose, connectionId, keyId, count = 1 }: CredentialUse): void {
    this.#since ??= this.#clock.now();
    let uses = this.#counted.get(workspaceId);
    if (uses === undefined) {
      uses = new Map();
      this.#counted.set(workspaceId, uses);
    }
    let ofConnection = uses.get(connectionId);
    if (ofConnection === undefined) {
      ofConnection = [];
      uses.set(connectionId, ofConnection);
    }
    const present = ofConnection.find((one) => one.purpose === purpose && one.key_id === keyId);
    if (present === undefined) ofConnection.push({ connection_id: connectionId, purpose, key_id: keyId, count });
    else present.count += count;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.flush(), INTERVAL_MS);
    this.#timer.unref();
  }

  /** Hands over what was counted so far; resolves when all is handed over. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counted = this.#counted;
    const from = this.#since;
    this.#counted = new Map();
    this.#since = undefined;
    if (from === undefined) return;
    const to = this.#clock.now();
    for (const [workspaceId, uses] of counted) {
      const all = [...uses.values()].flat();
      for (let at = 0; at < all.length; at += PER_ROW)
        this.#write({
          workspaceId,
          actor: { kind: 'system' },
          action: 'useCredentials',
          details: { from: from.toISOString(), to: to.toISOString(), uses: all.slice(at, at + PER_ROW) },
        });
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
  }

  close(): Promise<void> {
    return this.flush();
  }
}
