/** The rotating provider's module where a server looks for platforms. */
import { rotatingPlatform } from '../../rotating-provider.ts';

export default rotatingPlatform();
