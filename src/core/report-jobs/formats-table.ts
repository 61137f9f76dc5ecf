import type { ReportFormat } from '../store/schema.ts';

/** Media type and file ending of each form of a result. */
export const FORMATS: Readonly<Record<ReportFormat, { type: string; ending: string }>> = {
  ndjson: { type: 'application/x-ndjson; charset=utf-8', ending: 'ndjson' },
  csv: { type: 'text/csv; charset=utf-8; header=present', ending: 'csv' },
  parquet: { type: 'application/vnd.apache.parquet', ending: 'parquet' },
};
