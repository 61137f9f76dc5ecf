/** The error answer as a schema, for the document. Its one writer is `errorBody` in core/errors. */
import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../../core/errors/index.ts';

const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

export const errorAnswer = z
  .object({
    statusCode: z.number().int().describe('HTTP status.'),
    error: z.string().describe('Name of the status.'),
    message: z.string().describe('What happened, for people. Its wording may change.'),
    code: z.enum(codes).describe('Stable code. A published code never changes its meaning.'),
    actor: z.enum(['caller', 'customer', 'operator', 'platform']).describe('Who must act for the call to succeed.'),
    retry: z
      .enum(['never', 'after', 'now'])
      .describe('never: the same call fails again. after: wait as Retry-After says. now: may be sent again at once.'),
    retry_after_ms: z.number().int().optional().describe('Milliseconds to wait.'),
    fix: z.string().describe('What to do about it.'),
    docs: z.string().describe('Where the code is explained.'),
    request_id: z.string().describe('Id of the request.'),
    details: z.record(z.string(), z.unknown()).optional().describe('Facts: field names, allowed values, links.'),
    platform: z
      .object({
        integration_type: z.string().optional(),
        status: z.number().int().optional(),
        code: z.string().optional(),
        message: z.string().optional(),
        request_id: z.string().optional(),
      })
      .optional()
      .describe('What the platform itself said.'),
  })
  .meta({ id: 'Error', description: 'An error answer.' });
