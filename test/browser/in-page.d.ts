export function pageProblems(leastContrast: number): string[];
export function pageOverflow(): number;
export function focusedText(): string;
