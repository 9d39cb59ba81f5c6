-- +goose Up
-- GoAdmin's own tables, as its data/admin.sql has them, without the accounts that file seeds. GoAdmin needs its
-- ids and times from the database, hence this file per dialect. operation_log.ip is wide enough for IPv6.
CREATE TABLE `goadmin_menu` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `parent_id` INT NOT NULL DEFAULT 0,
  `type` INT NOT NULL DEFAULT 0,
  `order` INT NOT NULL DEFAULT 0,
  `title` CHAR(50) NOT NULL,
  `icon` CHAR(50) NOT NULL,
  `uri` CHAR(3000) NOT NULL DEFAULT '',
  `header` CHAR(150) DEFAULT NULL,
  `plugin_name` CHAR(150) NOT NULL DEFAULT '',
  `uuid` CHAR(150) DEFAULT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE `goadmin_operation_log` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `user_id` INT NOT NULL,
  `path` CHAR(255) NOT NULL,
  `method` CHAR(10) NOT NULL,
  `ip` CHAR(45) NOT NULL,
  `input` TEXT NOT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX `goadmin_operation_log_user` ON `goadmin_operation_log` (`user_id`);
CREATE TABLE `goadmin_site` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `key` CHAR(100) NOT NULL,
  `value` TEXT DEFAULT NULL,
  `description` CHAR(3000) DEFAULT NULL,
  `state` INT NOT NULL DEFAULT 0,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE `goadmin_permissions` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `name` CHAR(50) NOT NULL,
  `slug` CHAR(50) NOT NULL,
  `http_method` CHAR(255) DEFAULT NULL,
  `http_path` TEXT DEFAULT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_permissions_name` ON `goadmin_permissions` (`name`);
CREATE TABLE `goadmin_roles` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `name` CHAR(50) NOT NULL,
  `slug` CHAR(50) NOT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_roles_name` ON `goadmin_roles` (`name`);
CREATE TABLE `goadmin_users` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `username` CHAR(100) NOT NULL,
  `password` CHAR(100) NOT NULL DEFAULT '',
  `name` CHAR(255) NOT NULL,
  `avatar` CHAR(255) DEFAULT NULL,
  `remember_token` CHAR(100) DEFAULT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_users_username` ON `goadmin_users` (`username`);
CREATE TABLE `goadmin_session` (
  `id` INTEGER PRIMARY KEY AUTOINCREMENT,
  `sid` CHAR(80) NOT NULL DEFAULT '',
  `values` CHAR(3000) NOT NULL DEFAULT '',
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_session_sid` ON `goadmin_session` (`sid`);
CREATE INDEX `goadmin_session_created` ON `goadmin_session` (`created_at`);
CREATE TABLE `goadmin_role_menu` (
  `role_id` INT NOT NULL,
  `menu_id` INT NOT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_role_menu_pair` ON `goadmin_role_menu` (`role_id`, `menu_id`);
CREATE TABLE `goadmin_role_permissions` (
  `role_id` INT NOT NULL,
  `permission_id` INT NOT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_role_permissions_pair` ON `goadmin_role_permissions` (`role_id`, `permission_id`);
CREATE TABLE `goadmin_role_users` (
  `role_id` INT NOT NULL,
  `user_id` INT NOT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_role_users_pair` ON `goadmin_role_users` (`role_id`, `user_id`);
CREATE TABLE `goadmin_user_permissions` (
  `user_id` INT NOT NULL,
  `permission_id` INT NOT NULL,
  `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX `goadmin_user_permissions_pair` ON `goadmin_user_permissions` (`user_id`, `permission_id`);

-- The one role of every shadow user: what it may do is decided in account, so here it may do everything.
INSERT INTO `goadmin_permissions` (`id`, `name`, `slug`, `http_method`, `http_path`) VALUES (1, 'minifleet', '*', '', '*');
INSERT INTO `goadmin_roles` (`id`, `name`, `slug`) VALUES (1, 'minifleet', 'minifleet');
INSERT INTO `goadmin_role_permissions` (`role_id`, `permission_id`) VALUES (1, 1);
INSERT INTO `goadmin_menu` (`id`, `parent_id`, `type`, `order`, `title`, `icon`, `uri`) VALUES (1, 0, 0, 1, '工作台', 'fa-dashboard', '/');
INSERT INTO `goadmin_role_menu` (`role_id`, `menu_id`) VALUES (1, 1);

-- +goose Down
DROP TABLE `goadmin_user_permissions`;
DROP TABLE `goadmin_role_users`;
DROP TABLE `goadmin_role_permissions`;
DROP TABLE `goadmin_role_menu`;
DROP TABLE `goadmin_session`;
DROP TABLE `goadmin_users`;
DROP TABLE `goadmin_roles`;
DROP TABLE `goadmin_permissions`;
DROP TABLE `goadmin_site`;
DROP TABLE `goadmin_operation_log`;
DROP TABLE `goadmin_menu`;
