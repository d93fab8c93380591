ALTER TABLE orders ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR'; -- größer als gedacht
