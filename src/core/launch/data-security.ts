/** Answers to a review's questions about data, filled in from how this server runs. */
import type { VaultStatus } from '../auth/secrets/admin.ts';
import type { Config } from '../config.ts';
import type { ApiKeyRow } from '../store/schema.ts';
import type { LaunchFacts } from './checks.ts';
import { answerOf } from './checks.ts';
import type { LaunchReport } from './types.ts';

/** Secret managers by name. */
export const MANAGERS = { aws: 'AWS Secrets Manager', azure: 'Azure Key Vault', gcp: 'Google Secret Manager' } as const;

export interface SecurityInput {
  status: VaultStatus;
  /** Keys that are not revoked. */
  keys: readonly ApiKeyRow[];
  config: Config;
  facts: LaunchFacts;
}

/** Question and answer, in the order in which reviews ask. */
export function dataSecurity({ status, keys, config, facts }: SecurityInput): LaunchReport['data_security'] {
  const manager = status.place === 'vault' ? undefined : MANAGERS[status.place];
  const database = facts.engine === 'postgres' ? 'PostgreSQL' : 'the embedded database (demonstration only)';
  const wrapped = status.keys.find(({ state }) => state === 'active')?.wrapped_by;
  const told = (key: string, unanswered: string): string => {
    const value = answerOf(facts, key);
    return typeof value === 'string' ? value : unanswered;
  };
  return [
    {
      question: 'Where are access tokens stored?',
      answer:
        manager === undefined
          ? `In ${database}, encrypted. They are in no log, no error, no address and no page, and no programming interface gives them out.`
          : `In ${manager}; ${database} holds their names only. They are in no log, no error, no address and no page, and no programming interface gives them out.`,
    },
    {
      question: 'How are they encrypted?',
      answer: `At rest with AES-256-GCM: every version of every secret under a data key of its own, wrapped by a master key that is not in the database (${wrapped === undefined ? 'held by the server' : `kept by a key management service: ${wrapped.split('?')[0]}`}). A stored secret is bound to workspace, owner, kind and version: copied elsewhere it does not open. In transit with TLS.`,
    },
    {
      question: 'How long is data kept?',
      answer: `Tokens until the customer disconnects or withdraws the grant. The log of calls (addresses, times, outcomes; no content) for ${config.callLogDays} days. Advertising data is passed on and not stored by this server. ${told('data.retention', 'What the product itself keeps: not answered (`data.retention`).')}`,
    },
    {
      question: 'How is data deleted?',
      answer: `Removing a connection revokes the grant at the platform where it can be revoked, and destroys its tokens. Removing a workspace removes everything of it. ${told('data.deletion', 'How the product deletes on a customer’s request: not answered (`data.deletion`).')}`,
    },
    {
      question: 'Who has access?',
      answer: `Programs with a key; keys are stored as hashes, carry scopes, can be limited to single connections and can expire. In use: ${keys.length === 0 ? 'none' : keys.map(({ name, scopes }) => `${name} (${scopes.join(', ')})`).join('; ')}. Every act of administration, write and use of a customer’s credentials is in an audit log whose rows are chained by hashes.`,
    },
    {
      question: 'Is data separated between customers?',
      answer:
        'Every connection belongs to one workspace, and every look-up names it. Production, sandbox and simulator have credentials, addresses and tokens of their own that never mix.',
    },
    {
      question: 'How is the customer’s consent obtained and withdrawn?',
      answer:
        'By the platform’s own consent page, from a signed link of single use. Only what the product needs is asked for. A withdrawn grant is recognised by the platform’s own signs; calls stop at once and the customer is told.',
    },
    {
      question: 'Whom does one ask about security?',
      answer: told('data.contact', 'Not answered (`data.contact`).'),
    },
  ];
}
